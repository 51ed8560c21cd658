"""What a source's columns may become before a gate has seen them (rule 14)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import Field

from headwater.domain.base import Value
from headwater.domain.errors import SchemaDriftError
from headwater.domain.names import RESERVED_PREFIX, TableName
from headwater.domain.schema import Column, TableSchema
from headwater.domain.widening import is_widening
from headwater.services.drift_undo import rename_back, retype_back

MOST_TOLD = 3


class Evolution(Value):
    """Changes to make before staging: nullable columns to add, types to widen."""

    add: tuple[Column, ...] = ()
    widen: dict[str, str] = Field(default_factory=dict)


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


def reconcile(
    table: TableName, live: TableSchema, source: TableSchema, policy: str, relation: str, *, database: bool = True
) -> Evolution:
    """Compare the live bronze columns with the source's, under the table's ``drift`` policy.

    A live type wider than the source's stays: the source narrowed what the table can still hold.

    :param relation: what people call the table at the source.
    :param database: whether a statement can take a change back there.
    :raises SchemaDriftError: naming every column that does not fit, what it was and is, and how to go on.
    """
    known = tuple(column for column in live.columns if not column.name.startswith(RESERVED_PREFIX))
    gone = list(_vanished(known, source, relation if database else None))
    renamed = {misfit.new_column for misfit in gone}
    new = [column for column in source.columns if live.column(column.name) is None and column.name not in renamed]
    wider = {column.name: column.type for column in source.columns if _widens(live, column)}
    retyped = list(_retyped(live, source, relation if database else None))
    stopped = [] if policy == "evolve" else list(_followed(live, source, new, wider))
    if misfits := (*gone, *retyped, *stopped):
        raise _drifted(table, misfits, source, policy, relation, len(known))
    add = tuple(column.model_copy(update={"required": False, "field_id": None}) for column in new)
    return Evolution(add=add, widen=wider)


def _widens(live: TableSchema, column: Column) -> bool:
    known = live.column(column.name)
    return known is not None and is_widening(known.type, column.type)


def _vanished(known: Sequence[Column], source: TableSchema, relation: str | None) -> Iterator[Misfit]:
    gone = [column for column in known if source.column(column.name) is None]
    names = {column.name for column in known}
    for column in gone:
        of_its_type = [c for c in source.columns if c.name not in names and c.type == column.type]
        if len(of_its_type) == 1 and sum(c.type == column.type for c in gone) == 1:
            new = of_its_type[0].name
            undo = None if relation is None else rename_back(relation, new, column.name)
            change = f"vanished, probably renamed to {new}"
            yield Misfit(column=column.name, change=change, new_column=new, undo=undo)
        else:
            yield Misfit(column=column.name, change=f"of type {column.type} vanished")


def _retyped(live: TableSchema, source: TableSchema, relation: str | None) -> Iterator[Misfit]:
    for column in source.columns:
        known = live.column(column.name)
        if known is None or known.type == column.type:
            continue
        if is_widening(column.type, known.type) or is_widening(known.type, column.type):
            continue
        undo = None if relation is None else retype_back(relation, known.name, known.type, column.type)
        yield Misfit(column=known.name, change=f"changed from {known.type} to {_source_type(column)}", undo=undo)


def _followed(live: TableSchema, source: TableSchema, new: Sequence[Column], wider: dict[str, str]) -> Iterator[Misfit]:
    """What ``drift: evolve`` would take and ``drift: stop`` does not."""
    for column in new:
        yield Misfit(column=column.name, change=f"appeared with type {_source_type(column)}", followed=True)
    for column in source.columns:
        known = live.column(column.name)
        if column.name in wider and known is not None:
            change = f"widened from {known.type} to {_source_type(column)}"
            yield Misfit(column=column.name, change=change, followed=True)


def _drifted(
    table: TableName, misfits: Sequence[Misfit], source: TableSchema, policy: str, relation: str, known: int
) -> SchemaDriftError:
    more = len(misfits) - MOST_TOLD
    changes = "; ".join(misfit.said for misfit in misfits[:MOST_TOLD]) + (f"; and {more} more" if more > 0 else "")
    first = misfits[0]
    lost = [misfit for misfit in misfits if not misfit.followed]
    undo = [misfit.undo for misfit in lost if misfit.undo is not None]
    facts = {
        "table": table.dotted,
        "column": first.column,
        "change": first.change,
        "changes": changes,
        "count": str(len(misfits)),
        "known_columns": str(known),
        "relation": relation,
        "policy": policy,
        "new_column": first.new_column or "",
        # half a remedy would not make the next run green
        "fix_sql": "\n".join(undo) if len(undo) == len(lost) else "",
        "evolved_table": "" if lost else table.table,
        "also_evolved_table": table.table if undo and len(undo) == len(lost) < len(misfits) else "",
    }
    return SchemaDriftError(
        f"{relation} no longer fits {table}: {changes}",
        got="columns " + ", ".join(f"{column.name} {_source_type(column)}" for column in source.columns),
        allowed="the columns that the table has; new ones and wider types under `drift: evolve`",
        remedy="Take the change back at the source, or declare `drift: evolve` for new columns and wider types.",
        facts={name: value for name, value in facts.items() if value},
    )


def _source_type(column: Column) -> str:
    return column.source_type or column.type
