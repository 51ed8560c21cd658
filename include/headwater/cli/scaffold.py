"""Writes the files of a new source from what its connection offers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from headwater.domain.errors import Location, SpecError
from headwater.domain.names import NAME_RULE, Layer, TableName, is_name
from headwater.domain.spec import Owner, Silver, SqlExtract, TableSpec
from headwater.model.layout import SOURCES, Layout
from headwater.ports.extractor import SourceRelation


def probe_table() -> TableSpec:
    """A table that stands for any: opening an extractor needs a kind of extract."""
    return TableSpec(name="any", extract=SqlExtract(), silver=Silver(mode="append"))


def write_source(
    root: Path, name: str, connection: str, owner: Owner, relations: Sequence[SourceRelation]
) -> tuple[Path, ...]:
    """Write YAML and contracts; returns the paths. Nothing is overwritten.

    :raises SpecError: when the name is no name, or a file is there already.
    """
    if not is_name(name):
        raise SpecError("This is no name of a source.", got=repr(name), allowed=NAME_RULE)
    layout = Layout(root)
    named = {_table_name(item.relation): item for item in relations}
    files = {root / SOURCES / f"{name}.yaml": _document(connection, owner, named)}
    for table, relation in named.items():
        for layer in (Layer.BRONZE, Layer.SILVER):
            target = TableName(layer=layer, source=name, table=table)
            files[layout.contract(target)] = _contract(target, relation)
    for path in files:
        if path.exists():
            raise SpecError("The file is there already.", where=Location.of(path), remedy="Remove it or change it.")
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120))
    return tuple(files)


def _table_name(relation: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", relation.rsplit(".", maxsplit=1)[-1].lower()).strip("_")
    return plain if is_name(plain) else f"t_{plain}"[:63].rstrip("_")


def _document(connection: str, owner: Owner, relations: dict[str, SourceRelation]) -> dict[str, Any]:
    tables = {table: _table(table, relation) for table, relation in relations.items()}
    return {
        "description": f"Tables read over {connection}.",
        "owner": owner.model_dump(mode="json", exclude_defaults=True),
        "schedule": {"every": "1d"},
        "connection": connection,
        "extract": {"kind": "sql", "mode": "snapshot"},
        "tables": tables,
    }


def _table(table: str, relation: SourceRelation) -> dict[str, Any]:
    extract: dict[str, Any] = {} if relation.relation == f"public.{table}" else {"relation": relation.relation}
    cursor = next(iter(relation.cursor_candidates), None)
    if cursor is None:
        silver = {"mode": "upsert"}
    elif relation.primary_key:
        extract |= {"mode": "incremental", "cursor": cursor, "lag": "1h"}
        silver = {"mode": "upsert", "sequence_by": cursor}
    else:
        extract |= {"mode": "incremental", "cursor": cursor}
        silver = {"mode": "append"}
    key = _key(relation) if silver["mode"] == "upsert" else ()
    return ({"key": list(key)} if key else {}) | ({"extract": extract} if extract else {}) | {"silver": silver}


def _key(relation: SourceRelation) -> tuple[str, ...]:
    """The primary key; without one a row's identity is all of it, and the contract says when rows are doubled."""
    return relation.primary_key or relation.schema_.names


def _contract(table: TableName, relation: SourceRelation) -> dict[str, Any]:
    checks: list[dict[str, Any]] = [{"row_count": {"threshold": {"must_be_greater_than": 0}}}]
    if table.layer is Layer.SILVER and (relation.primary_key or not relation.cursor_candidates):
        checks.append({"duplicate": {"columns": list(_key(relation))}})
    columns: list[dict[str, Any]] = [
        {"name": name} | ({"checks": [{"missing": {}}]} if name in relation.primary_key else {})
        for name in relation.schema_.names
    ]
    return {"dataset": "/".join(("lake", *table.identifier)), "checks": checks, "columns": columns}
