"""Who reads a table or a column, through every SQL file: what an owner has to ask before changing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headwater.domain.base import Value
from headwater.domain.names import Layer, TableName
from headwater.domain.schema import Column, TableSchema
from headwater.domain.spec import GoldSpec, PipelineSpec, SourceSpec, TableSpec
from headwater.model.sql.file import column_lineage
from headwater.model.sql.known_columns import known_columns
from headwater.model.sql.lineage import silver_lineage
from headwater.model.sql.reads import columns_read
from headwater.model.sql.scopes import EVERY, Schemas

Affected = frozenset[str] | None
"""Columns of a table that are affected; None means all of it, its rows included."""


class Reader(Value):
    """A table that is made of another, directly or through others.

    :param columns: its columns that hold what is asked about; empty when all of it depends on it, its rows included.
    """

    table: TableName
    pipeline: str
    team: str
    through: tuple[str, ...]
    columns: tuple[str, ...] = ()


def readers(specs: Sequence[PipelineSpec], table: TableName, column: str | None = None) -> tuple[Reader, ...]:
    """Every table downstream, nearest first.

    :param column: only what reads this column; None: whatever reads the table.
    """
    schemas = known_columns(specs)
    affected: dict[str, Affected] = {table.dotted: None if column is None else frozenset({column.lower()})}
    found: dict[str, Reader] = {}
    grown = True
    while grown:
        grown = False
        for spec in specs:
            for name, team, reached in _reached(spec, affected, schemas):
                before = found.get(name.dotted)
                now = _reader(spec, name, team, reached)
                if now != before:
                    found[name.dotted], affected[name.dotted], grown = now, _together(reached), True
    return tuple(found.values())


def columns_named(specs: Sequence[PipelineSpec], table: str) -> tuple[str, ...]:
    """Columns of a dotted table that the SQL of gold names, in lower case; what the table has besides nobody reads."""
    schemas = known_columns(specs)
    written = (gold.sql for spec in specs for gold in spec.gold if gold.transform is None)
    read = (
        item for sql in written for item in columns_read(sql, schemas) if item.table == table and item.column != EVERY
    )
    return tuple(sorted({item.column.lower() for item in read}))


def _reached(
    spec: PipelineSpec, affected: dict[str, Affected], schemas: Schemas
) -> Iterator[tuple[TableName, str, dict[str, Affected]]]:
    """Tables of a pipeline with, per affected input that they read, what of them depends on it."""
    for table in spec.tables if isinstance(spec, SourceSpec) else ():
        bronze = spec.name_of(Layer.BRONZE, table.name).dotted
        reached = _silver(spec.name, table, affected[bronze]) if bronze in affected else frozenset()
        if reached is None or reached:
            yield spec.name_of(Layer.SILVER, table.name), (table.owner or spec.owner).team, {bronze: reached}
    for gold in spec.gold:
        inputs = {item.dotted: affected[item.dotted] for item in gold.inputs if item.dotted in affected}
        found = {dotted: _gold(gold, dotted, columns, schemas) for dotted, columns in inputs.items()}
        told = {dotted: columns for dotted, columns in found.items() if columns is None or columns}
        if told:
            yield spec.name_of(Layer.GOLD, gold.name), (gold.owner or spec.owner).team, told


def _silver(source: str, table: TableSpec, columns: Affected) -> Affected:
    if columns is None:
        return None
    if columns & {name.lower() for name in (*table.key, table.silver.sequence_by or "")}:
        return None
    if table.transform is not None:
        return None
    lineage = silver_lineage(source, table, sorted(columns))
    return frozenset(
        item.column.lower() for item in lineage if columns & {name.lower() for _, name in item.inputs}
    ) or (columns if table.sql is not None and "*" in table.sql else frozenset())


def _gold(gold: GoldSpec, dotted: str, columns: Affected, schemas: Schemas) -> Affected:
    """Output columns made of the affected ones; all where they filter, join or group."""
    from sqlglot import errors

    if columns is None or gold.transform is not None:
        return None
    of_table = (item for item in columns_read(gold.sql, schemas) if item.table == dotted)
    read = [item for item in of_table if item.column == EVERY or item.column.lower() in columns]
    if any(item.decides_rows for item in read):
        return None
    if not read:
        return frozenset()
    known = {
        name: TableSchema(columns=tuple(Column(name=c, type="string") for c in cs)) for name, cs in schemas.items()
    }
    try:
        lineage = column_lineage(
            gold.sql, {name: known[name] for name in (t.dotted for t in gold.inputs) if name in known}
        )
    except errors.SqlglotError:
        return None  # read, and nobody can tell where it goes
    wanted = {(dotted, name) for name in columns}
    return frozenset(
        item.column.lower() for item in lineage if wanted & {(table, name.lower()) for table, name in item.inputs}
    )


def _together(reached: dict[str, Affected]) -> Affected:
    found: frozenset[str] = frozenset()
    for columns in reached.values():
        if columns is None:
            return None
        found |= columns
    return found


def _reader(spec: PipelineSpec, name: TableName, team: str, reached: dict[str, Affected]) -> Reader:
    columns = _together(reached)
    return Reader(
        table=name,
        pipeline=spec.name,
        team=team,
        through=tuple(sorted(reached)),
        columns=() if columns is None else tuple(sorted(columns)),
    )
