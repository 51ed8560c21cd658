"""The extract of a table: built-in < environment profile < the file's ``extract`` < the table's (rule 4)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from headwater.domain.errors import SpecError
from headwater.domain.spec import ExternalExtract, Extract, FilesExtract, SqlExtract
from headwater.model.documents import EXTRACT_KINDS
from headwater.model.spec_errors import explain, shown
from headwater.model.yaml_text import YamlDocument

_MODELS: dict[str, type[SqlExtract] | type[FilesExtract]] = {
    "sql": SqlExtract, "files": FilesExtract, "external": ExternalExtract
}  # fmt: skip
_INCREMENTAL_ONLY = frozenset({"cursor", "lag", "deleted_column", "bad_cursor", "chunk_rows"})

Loc = tuple[str | int, ...]


def resolve_extract(
    table: str, own: dict[str, Any], defaults: dict[str, Any], profile: dict[str, Any], document: YamlDocument
) -> tuple[Extract | None, list[SpecError]]:
    """The merged extract, or what is wrong with it, located where the offending key was written.

    Defaults of another kind than the table's do not apply to it; neither do a cursor and its companions to a table
    that takes snapshots.
    """
    kind = own.get("kind", defaults.get("kind", profile.get("kind", "sql")))
    path: Loc = ("tables", table, "extract")
    if kind not in EXTRACT_KINDS:
        where = path if "kind" in own else ("extract",)
        return None, [
            SpecError(
                "no such kind of extract",
                document.locate((*where, "kind")),
                got=shown(kind),
                allowed=", ".join(EXTRACT_KINDS),
            )
        ]
    merged = _inherited(kind, own, defaults, profile) | own
    model = _MODELS[kind]
    findings = _misplaced(own, merged, path, document)
    try:
        return model.model_validate(merged), findings
    except ValidationError as error:
        return None, findings + _located(error, model, own, defaults, path, document)


def _inherited(kind: str, own: dict[str, Any], defaults: dict[str, Any], profile: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for layer in (profile, defaults):
        if layer.get("kind", "sql") == kind:
            result |= layer
    if own.get("mode") == "snapshot":
        result = {key: value for key, value in result.items() if key not in _INCREMENTAL_ONLY}
    return result | {"kind": kind}


def _misplaced(own: dict[str, Any], merged: dict[str, Any], path: Loc, document: YamlDocument) -> list[SpecError]:
    if merged["kind"] != "sql" or merged.get("mode", "snapshot") != "snapshot":
        return []
    return [
        SpecError(
            f"{key} belongs to mode incremental",
            document.locate((*path, key)),
            got=shown(own[key]),
            allowed="mode: incremental, or no " + key,
        )
        for key in own
        if key in _INCREMENTAL_ONLY
    ]


def _located(
    error: ValidationError,
    model: type[BaseModel],
    own: dict[str, Any],
    defaults: dict[str, Any],
    path: Loc,
    document: YamlDocument,
) -> list[SpecError]:
    found = []
    for detail in error.errors(include_url=False):
        loc = tuple(detail["loc"])
        written = ("extract",) if loc and loc[0] in defaults and loc[0] not in own else path
        found.append(explain(detail, model, document, (*written, *loc)))
    return found
