"""JSON schema of the YAML files, for editors (``headwater schema``)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from headwater.domain.names import NAME_RULE
from headwater.domain.spec import FilesExtract, SqlExtract
from headwater.model.documents import ProductDocument, SourceDocument
from headwater.model.key_words import KEY_WORDS

_NAME = {"pattern": "^[a-z](?:_?[a-z0-9])*$", "maxLength": 63, "description": NAME_RULE}
_DURATION = {"type": "string", "pattern": r"^\d{1,9}[smhdw]$", "description": "90s, 45m, 6h, 1d, 2w"}
_DOCUMENTS: dict[str, type[BaseModel]] = {"source": SourceDocument, "product": ProductDocument}


def json_schema(kind: Literal["source", "product"]) -> dict[str, Any]:
    """JSON schema (2020-12) of ``dags/sources/*.yaml`` or ``dags/products/*.yaml``.

    An extract is described with nothing required: a table may leave to the file's ``extract`` what it shares.
    """
    model = _DOCUMENTS[kind]
    inputs = [(item, "validation") for item in (model, SqlExtract, FilesExtract)]
    _, schema = models_json_schema(inputs, ref_template="#/$defs/{model}")  # type: ignore[arg-type]
    definitions = schema["$defs"]
    for name in ("SqlExtract", "FilesExtract"):
        definitions[name].pop("required", None)
    for name in ("SourceDocument", "TableDocument"):
        if name in definitions:
            extracts = [{"$ref": "#/$defs/SqlExtract"}, {"$ref": "#/$defs/FilesExtract"}]
            definitions[name]["properties"]["extract"] = {"anyOf": extracts}
    for name, definition in definitions.items():
        for key, value in definition["properties"].items():
            value.pop("title", None)
            value["description"] = KEY_WORDS[name][key]
    _walk(definitions)
    root = definitions.pop(model.__name__)
    title = f"Headwater {kind}"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "title": title, "$defs": definitions}


def _walk(node: Any) -> None:
    if isinstance(node, list):
        for item in node:
            _walk(item)
        return
    if not isinstance(node, dict):
        return
    if node.get("format") == "duration":
        node.pop("format")
        node |= {**_DURATION, "description": node.get("description") or _DURATION["description"]}
    default = node.get("default")
    if isinstance(default, str) and default.startswith("PT"):
        node.pop("default")
    for key, value in node.items():
        if key == "properties":
            for name in ("tables", "gold"):
                if "additionalProperties" in value.get(name, {}):
                    value[name]["propertyNames"] = _NAME
            if "schedule" in value:
                value["schedule"]["anyOf"] = [{"$ref": value["schedule"].pop("$ref")}, {"const": "manual"}]
        _walk(value)
