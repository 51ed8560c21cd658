"""What a source's columns may become before a gate has seen them (rule 14)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pydantic import Field

from headwater.domain.base import Value
from headwater.domain.errors import SchemaDriftError
from headwater.domain.names import RESERVED_PREFIX, TableName
from headwater.domain.schema import Column, TableSchema
from headwater.domain.widening import can_be_judged, is_widening
from headwater.services.misfits import Misfit, Origin, followed, retyped, source_type, vanished

MOST_TOLD = 3


class Evolution(Value):
    """What becomes of a source's changes.

    :param add: nullable columns to add before staging. :param widen: types to widen before staging.
    :param left_out: columns the table does not take. :param judged: the source's type of columns whose values are
        taken only where they are values of the table's type; rows with others go to quarantine.
    """

    add: tuple[Column, ...] = ()
    widen: dict[str, str] = Field(default_factory=dict)
    left_out: tuple[Column, ...] = ()
    judged: dict[str, str] = Field(default_factory=dict)


def reconcile(
    table: TableName,
    live: TableSchema,
    source: TableSchema,
    policy: str,
    origin: Origin,
    *,
    fixed: Collection[str] = (),
) -> Evolution:
    """Compare the live bronze columns with the source's, under the table's ``drift`` policy.

    A live type wider than the source's stays: the source narrowed what the table can still hold. A column that
    vanished stops under every policy: without its values there is nothing to tell good rows by.

    :param fixed: columns whose type may not change under ``quarantine``: key and cursor.
    :raises SchemaDriftError: naming every column that does not fit, what it was and is, and how to go on.
    """
    known = tuple(column for column in live.columns if not column.name.startswith(RESERVED_PREFIX))
    gone = list(vanished(known, source, origin.undone_at))
    renamed = {misfit.new_column for misfit in gone}
    new = [column for column in source.columns if live.column(column.name) is None and column.name not in renamed]
    wider = {column.name: column.type for column in source.columns if _widens(live, column)}
    changed = list(retyped(live, source, origin.undone_at))
    judging = policy == "quarantine" and origin.in_database
    judged = _judged(live, source, {*wider, *(item.column for item in changed)} - {*fixed}) if judging else {}
    changed = [misfit for misfit in changed if misfit.column not in judged]
    more = [] if policy == "evolve" else list(followed(live, source, () if judging else new, wider))
    stopped = [misfit for misfit in more if misfit.column not in judged]
    if misfits := (*gone, *changed, *stopped):
        raise _drifted(table, misfits, source, policy, origin.relation, len(known))
    if judging:
        return Evolution(left_out=tuple(new), judged=judged)
    add = tuple(column.model_copy(update={"required": False, "field_id": None}) for column in new)
    return Evolution(add=add, widen=wider)


def _judged(live: TableSchema, source: TableSchema, names: Collection[str]) -> dict[str, str]:
    """The columns whose values can be judged one by one, and the source's type of each."""
    found = ((column, live.column(column.name)) for column in source.columns if column.name in names)
    return {new.name: source_type(new) for new, old in found if old is not None and can_be_judged(old.type, new.type)}


def _widens(live: TableSchema, column: Column) -> bool:
    known = live.column(column.name)
    return known is not None and is_widening(known.type, column.type)


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
        got="columns " + ", ".join(f"{column.name} {source_type(column)}" for column in source.columns),
        allowed="the columns that the table has; new ones and wider types under `drift: evolve`",
        remedy="Take the change back at the source, or declare `drift: evolve` for new columns and wider types; "
        "`drift: quarantine` leaves new columns out and sets rows aside whose values do not fit.",
        facts={name: value for name, value in facts.items() if value},
    )
