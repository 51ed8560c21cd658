"""Appending only what a branch does not hold yet: quarantine merges by id (rule 40)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from headwater.adapters.iceberg.opening import explained
from headwater.adapters.iceberg.staging import commit_once, marks_of
from headwater.domain.errors import SchemaDriftError
from headwater.domain.names import TableName
from headwater.ports.catalog import DataFile

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table


class _NothingNewError(Exception):
    """Every row is on the branch already."""


def stage_new(
    catalog: SqlCatalog,
    name: TableName,
    branch: str,
    files: Sequence[DataFile],
    key: str,
    summary: Mapping[str, str],
) -> int | None:
    """See the port. Files go only after the commit: a try that dies leaves them for the next."""
    paths = [file.path for file in files]
    marks = marks_of(branch, paths, summary)

    def append(table: Table) -> None:
        rows = _unheld(table, branch, key, _read(name, table, paths))
        if rows.num_rows == 0:
            raise _NothingNewError
        table.append(rows, snapshot_properties=marks, branch=branch)

    snapshot: int | None
    try:
        snapshot = commit_once(catalog, name, branch, marks, append)
    except _NothingNewError:
        snapshot = None
    with explained(f"removing staged files of {name}", name):
        io = catalog.load_table(name.identifier).io
        for path in paths:
            io.delete(path)
    return snapshot


def _read(name: TableName, table: Table, paths: Sequence[str]) -> pa.Table:
    """All rows, their columns by name in the order and types of the table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = table.schema().as_arrow()
    parts = []
    for path in paths:
        with table.io.new_input(path).open() as stream:
            part = pq.read_table(stream)
        unknown = sorted(set(part.column_names) - set(schema.names))
        if unknown:
            raise SchemaDriftError(
                f"{name} has no such column", got=", ".join(unknown), allowed=", ".join(schema.names)
            )
        columns = [
            part.column(field.name).cast(field.type) if field.name in part.column_names
            else pa.nulls(part.num_rows, field.type)
            for field in schema
        ]  # fmt: skip
        parts.append(pa.table(columns, schema=schema))
    return pa.concat_tables(parts)


def _unheld(table: Table, branch: str, key: str, rows: pa.Table) -> pa.Table:
    """The first row of each key that the branch does not hold."""
    import pyarrow as pa
    import pyarrow.compute as pc

    head = table.metadata.refs[branch].snapshot_id
    held = table.scan(selected_fields=(key,), snapshot_id=head).to_arrow().column(key)
    rows = rows.filter(pc.invert(pc.is_in(rows.column(key), value_set=held)))
    first: dict[object, int] = {}
    for index, value in enumerate(rows.column(key).to_pylist()):
        first.setdefault(value, index)
    return rows.take(pa.array(list(first.values()), pa.int64()))
