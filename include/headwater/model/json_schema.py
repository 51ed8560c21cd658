"""JSON schema of the YAML files, for editors (``headwater schema``)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from headwater.domain.names import NAME_RULE
from headwater.domain.spec import ExternalExtract, FilesExtract, SqlExtract
from headwater.model.documents import ProductDocument, SourceDocument
from headwater.model.key_words import KEY_WORDS

_NAME = {"pattern": "^[a-z](?:_?[a-z0-9])*$", "maxLength": 63, "description": NAME_RULE}
_DURATION = {"type": "string", "pattern": r"^\d{1,9}[smhdw]$"}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXTRACTS: tuple[type[BaseModel], ...] = (SqlExtract, FilesExtract, ExternalExtract)
_DOCUMENTS: dict[str, type[BaseModel]] = {"source": SourceDocument, "product": ProductDocument}


def json_schema(kind: Literal["source", "product"]) -> dict[str, Any]:
    """JSON schema (2020-12) of ``dags/sources/*.yaml`` or ``dags/products/*.yaml``.

    An extract is described with nothing required: a table may leave to the file's ``extract`` what it shares.
    """
    model = _DOCUMENTS[kind]
    extracts = _EXTRACTS if kind == "source" else ()
    _, schema = models_json_schema([(item, "validation") for item in (model, *extracts)])
    definitions = schema["$defs"]
    for name, definition in definitions.items():
        definition["description"] = definition["description"].split("\n")[0].replace("``", "")
        for key, value in definition["properties"].items():
            _complete(name, key, value)
    for item in extracts:
        definitions[item.__name__].pop("required", None)
    root = definitions.pop(model.__name__)
    return {"$schema": _DIALECT, **root, "title": f"Headwater {kind}", "$defs": definitions}


def _complete(model: str, key: str, value: dict[str, Any]) -> None:
    """Say in JSON schema what validators say in Python."""
    value.pop("title", None)
    if key == "extract":
        value.clear()
        value["anyOf"] = [{"$ref": f"#/$defs/{item}"} for item in (e.__name__ for e in _EXTRACTS)]
    if key == "schedule":
        value["anyOf"] = [{"$ref": value.pop("$ref")}, {"const": "manual"}]
    if key in {"tables", "gold"} and "additionalProperties" in value:
        value["propertyNames"] = _NAME
    for option in (value, *value.get("anyOf", ())):
        if option.get("format") == "duration":
            option.pop("format")
            option.update(_DURATION)
            value.pop("default", None)
    value["description"] = KEY_WORDS[model][key]
