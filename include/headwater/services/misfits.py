"""Columns of a source that do not fit the live table, and the statements that take them back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headwater.domain.base import Value
from headwater.domain.schema import Column, TableSchema
from headwater.domain.widening import is_widening
from headwater.services.drift_undo import rename_back, retype_back


class Misfit(Value):
    """A column that does not fit.

    :param followed: whether ``drift: evolve`` would take the change.
    :param undo: the statement that takes the change back at the source without losing a value; None where there is
        none: what a vanished column held is gone.
    """

    column: str
    change: str
    followed: bool = False
    new_column: str | None = None
    undo: str | None = None

    @property
    def said(self) -> str:
        return f"column {self.column} {self.change}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the columns of a table come from.

    :param relation: what people call it at the source.
    :param in_database: whether values are judged there one by one. The columns of files are declared, and their values
        are judged anyway.
    :param in_postgres: whether statements of PostgreSQL can take a change back there; those of others are not known.
    """

    relation: str
    in_database: bool = True
    in_postgres: bool = True

    @property
    def undone_at(self) -> str | None:
        """The relation that a statement can take a change back of."""
        return self.relation if self.in_database and self.in_postgres else None


def vanished(known: Sequence[Column], source: TableSchema, relation: str | None) -> Iterator[Misfit]:
    """Columns the source lacks, with the names they probably have now."""
    gone = [column for column in known if source.column(column.name) is None]
    names = {column.name for column in known}
    for column in gone:
        of_its_type = [c for c in source.columns if c.name not in names and c.type == column.type]
        in_other_case = [c for c in of_its_type if c.name.lower() == column.name.lower()]
        if in_other_case or (len(of_its_type) == 1 and sum(c.type == column.type for c in gone) == 1):
            new = (in_other_case or of_its_type)[0].name
            undo = None if relation is None else rename_back(relation, new, column.name)
            change = f"vanished, probably renamed to {new}"
            yield Misfit(column=column.name, change=change, new_column=new, undo=undo)
        else:
            yield Misfit(column=column.name, change=f"of type {column.type} vanished")


def retyped(live: TableSchema, source: TableSchema, relation: str | None) -> Iterator[Misfit]:
    """Columns whose type holds other values than the table's, neither more nor less."""
    for column in source.columns:
        known = live.column(column.name)
        if known is None or known.type == column.type:
            continue
        if is_widening(column.type, known.type) or is_widening(known.type, column.type):
            continue
        undo = None if relation is None else retype_back(relation, known.name, known.type, column.type)
        yield Misfit(column=known.name, change=f"changed from {known.type} to {source_type(column)}", undo=undo)


def followed(live: TableSchema, source: TableSchema, new: Sequence[Column], wider: dict[str, str]) -> Iterator[Misfit]:
    """What ``drift: evolve`` would take and ``drift: stop`` does not."""
    for column in new:
        yield Misfit(column=column.name, change=f"appeared with type {source_type(column)}", followed=True)
    for column in source.columns:
        known = live.column(column.name)
        if column.name in wider and known is not None:
            change = f"widened from {known.type} to {source_type(column)}"
            yield Misfit(column=column.name, change=change, followed=True)


def source_type(column: Column) -> str:
    """The type as the source calls it."""
    return column.source_type or column.type
