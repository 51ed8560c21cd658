"""What a table declares of its source, as the extractor of a kind has to have it."""

from __future__ import annotations

from typing import TypeVar

from headwater.domain.errors import SpecError
from headwater.domain.spec import FilesExtract, SqlExtract, TableSpec

Kind = TypeVar("Kind", SqlExtract, FilesExtract)


def sql_extract(table: TableSpec) -> SqlExtract:
    """How the relation is read. :raises SpecError: when the table is no relation of a database."""
    return _declared(table, SqlExtract, "is no relation of a database", "kind sql")


def files_extract(table: TableSpec) -> FilesExtract:
    """How the files are read. :raises SpecError: when the table is not read from files."""
    return _declared(table, FilesExtract, "is not read from files", "kind files")


def _declared(table: TableSpec, kind: type[Kind], refusal: str, allowed: str) -> Kind:
    if isinstance(table.extract, kind):
        return table.extract
    raise SpecError(
        f"table {table.name!r} {refusal}",
        got=f"extract kind {table.extract.kind!r}",
        allowed=allowed,
        facts={"table": table.name},
    )
