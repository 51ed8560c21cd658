"""What a table declares of its source, as the extractor of a kind has to have it."""

from __future__ import annotations

from headwater.domain.errors import SpecError
from headwater.domain.spec import SqlExtract, TableSpec


def sql_extract(table: TableSpec) -> SqlExtract:
    """How the relation is read. :raises SpecError: when the table is no relation of a database."""
    if isinstance(table.extract, SqlExtract):
        return table.extract
    raise SpecError(
        f"table {table.name!r} is no relation of a database",
        got=f"extract kind {table.extract.kind!r}",
        allowed="kind sql",
        facts={"table": table.name},
    )
