"""What of a table's spec decides its content or its shape, flat: path in the YAML -> value."""

from __future__ import annotations

import hashlib
import json

from headwater.domain.base import Value
from headwater.domain.change import FactValue
from headwater.domain.spec import FilesExtract, GoldSpec, SqlExtract, TableSpec
from headwater.model.sql.one_select import output_columns, parse_select

Facts = dict[str, FactValue]
_COLUMN_FACTS = ("rename", "expression", "type", "mask", "default", "renamed_from")
_NOT_LAYOUT_OF_SILVER = {"mode", "applied_as", "sequence_by", "valid_from", "initial_valid_from", "track"} | {
    "max_delete_share",
    "allow_empty",
}
_NOT_LAYOUT_OF_GOLD = {"name", "description", "owner", "inputs", "acknowledge", "mode", "grain", "sql", "transform"}


def bronze_facts(table: TableSpec) -> Facts:
    """What a bronze table holds, and how its progress is told."""
    extract = table.extract
    facts: Facts = {"extract.kind": extract.kind, "extract.mode": extract.mode}
    if isinstance(extract, SqlExtract):
        facts |= {"extract.cursor": extract.cursor, "extract.relation": extract.relation}
    if isinstance(extract, FilesExtract):
        facts |= {"extract.path": extract.path}
        facts |= {f"extract.columns.{name}": kind for name, kind in extract.columns.items()}
    return facts


def silver_facts(table: TableSpec) -> Facts:
    """What decides the rows and columns of a silver table besides its bronze rows."""
    silver = table.silver
    facts: Facts = {
        "silver.mode": silver.mode,
        "silver.as": silver.applied_as if silver.mode == "cdc" else None,
        "key": table.key,
        "silver.track": silver.track or None,
        "silver.sequence_by": silver.sequence_by,
        "silver.valid_from": silver.valid_from,
        "silver.initial_valid_from": silver.initial_valid_from,
        "extract.mode": table.extract.mode,
        "extract.deleted_column": getattr(table.extract, "deleted_column", None),
        "sql": sql_digest(table.sql),
        "transform": f"{table.transform.python} {table.transform_digest[:12]}" if table.transform else None,
    }
    facts |= {f"silver.{name}": value for name, value in _layout(silver, _NOT_LAYOUT_OF_SILVER).items()}
    for name, rule in table.columns.items():
        given = {key: getattr(rule, key) for key in _COLUMN_FACTS}
        facts |= {f"columns.{name}.{key}": value for key, value in given.items() if value is not None}
    return facts


def gold_facts(gold: GoldSpec) -> Facts:
    """What decides the rows, columns and layout of a gold table besides its inputs."""
    facts: Facts = {"mode": gold.mode, "grain": gold.grain, "sql": sql_digest(gold.sql or None)}
    if gold.transform is not None:
        facts |= {"transform.python": gold.transform.python, "transform.inputs": gold.transform.inputs}
    return facts | _layout(gold, _NOT_LAYOUT_OF_GOLD)


def _layout(section: Value, others: set[str]) -> Facts:
    """How the files of a table are laid out: whatever a section says besides what decides rows and columns."""
    facts: Facts = {}
    for name, value in section.model_dump(mode="json", exclude=others).items():
        if value:
            facts[name] = tuple(value) if isinstance(value, list) else json.dumps(value, sort_keys=True)
    return facts


def sql_digest(sql: str | None) -> str | None:
    """A short name of what a SQL text means: layout and comments do not count."""
    if sql is None:
        return None
    text = parse_select(sql, "sql").sql("spark", comments=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()[:12]


def made_columns(sql: str | None) -> tuple[str, ...]:
    """Output columns of a SQL text; ``*`` where it takes its input's."""
    return () if sql is None else output_columns(parse_select(sql, "sql"), "sql", star=True)
