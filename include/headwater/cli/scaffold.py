"""Writes the files of a new source from what its connection offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from headwater.adapters.sources.files.locations import FILE_KINDS
from headwater.cli.scaffold_tables import Draft, drafts
from headwater.domain.errors import Location, SpecError
from headwater.domain.names import NAME_RULE, Layer, TableName, is_name
from headwater.domain.spec import FilesExtract, Owner, Silver, SqlExtract, TableSpec
from headwater.model.layout import SOURCES, Layout
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import SourceRelation

_OF_DATABASES = {"kind": "sql", "mode": "snapshot"}
_VALUES = {"boolean": True, "int": 1, "long": 1, "float": 1.5, "double": 1.5, "date": "2026-01-01"}
_VALUES |= {"timestamp": "2026-01-01T12:00:00", "timestamptz": "2026-01-01T12:00:00Z"}


@dataclass(frozen=True)
class Written:
    """What ``new-source`` made: files, and what a person should know of the tables."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def probe_table(connection: ConnectionInfo) -> TableSpec:
    """A table that stands for any of the connection: opening an extractor needs a kind of extract."""
    is_of_files = connection.kind in FILE_KINDS
    extract = FilesExtract(path=".", columns={"any": "string"}) if is_of_files else SqlExtract()
    return TableSpec(name="any", extract=extract, silver=Silver(mode="append"))


def write_source(root: Path, name: str, connection: str, owner: Owner, relations: Sequence[SourceRelation]) -> Written:
    """Write YAML, and per table contracts and a fixture. Nothing is overwritten.

    :raises SpecError: when the name is no name, no relation can be read, or a file is there already.
    """
    if not is_name(name):
        raise SpecError("This is no name of a source.", got=repr(name), allowed=NAME_RULE)
    layout = Layout(root)
    left_out = tuple(f"{item.relation} is left out: {item.problem}" for item in relations if item.problem)
    tables = drafts([item for item in relations if item.problem is None])
    if not tables:
        raise SpecError("None of these relations can be read as it is.", got="; ".join(left_out))
    files = {root / SOURCES / f"{name}.yaml": _source_text(connection, owner, tables)}
    for draft in tables:
        for layer in (Layer.BRONZE, Layer.SILVER):
            target = TableName(layer=layer, source=name, table=draft.name)
            files[layout.contract(target)] = _dump(_contract(target, draft))
        files[layout.fixtures(target)] = _dump(_fixture(target, draft.relation))
    for path in files:
        if path.exists():
            raise SpecError("The file is there already.", where=Location.of(path), remedy="Remove it or change it.")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Written(tuple(files), (*left_out, *(f"{draft.name}: {draft.note}" for draft in tables if draft.note)))


def _source_text(connection: str, owner: Owner, tables: Sequence[Draft]) -> str:
    head = {
        "description": f"Tables read over {connection}.",
        "owner": owner.model_dump(mode="json", exclude_defaults=True),
        "schedule": {"every": "1d"},
        "connection": connection,
        "extract": {"kind": "files"} if any(draft.relation.files for draft in tables) else _OF_DATABASES,
    }
    lines = [_dump(head), "tables:\n"]
    for draft in tables:
        lines += [f"  # {draft.note}\n"] if draft.note else []
        lines += [f"  {line}\n" for line in _dump({draft.name: draft.document}).splitlines()]
    return "".join(lines)


def _contract(table: TableName, draft: Draft) -> dict[str, Any]:
    checks: list[dict[str, Any]] = []
    if table.layer is Layer.BRONZE:
        # silver of a table that is empty at its source has no rows, and that is right
        checks.append({"row_count": {"threshold": {"must_be_greater_than": 0}}})
    elif draft.key:
        checks.append({"duplicate": {"columns": list(draft.key)}})
    else:
        checks.append({"row_count": {"threshold": {"must_be_greater_than_or_equal": 0}}})
    columns: list[dict[str, Any]] = [
        {"name": name} | ({"checks": [{"missing": {}}]} if name in draft.required else {})
        for name in draft.relation.schema_.names
    ]
    return {"dataset": "/".join(("lake", *table.identifier)), "checks": checks, "columns": columns}


def _fixture(silver: TableName, relation: SourceRelation) -> list[dict[str, Any]]:
    """One row that silver takes over as it is: a place to begin when a column is computed."""
    row = {column.name: _value(column.type) for column in relation.schema_.columns}
    bronze = silver.model_copy(update={"layer": Layer.BRONZE})
    return [
        {"name": "a row reaches silver as it was read", "given": {bronze.dotted: [row]}, "expect": [dict(row)]},
    ]


def _value(kind: str) -> object:
    """A value of an Iceberg type; never one of the source, which may be personal."""
    return "0" if kind.startswith("decimal") else _VALUES.get(kind, "a")


def _dump(document: object) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
