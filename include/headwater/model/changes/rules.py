"""What each kind of change does to a table, and what it destroys (rule 14)."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.domain.change import Effect
from headwater.domain.spec import FilesExtract, GoldSpec, SqlExtract, TableSpec
from headwater.domain.widening import is_widening
from headwater.model.changes.facts import made_columns

_ANEW = {
    "silver.mode": ("the table keeps other rows", "the rows as the earlier mode kept them"),
    "silver.as": ("the table keeps other rows", "the rows as the earlier form kept them"),
    "key": ("rows are told apart by other columns", "the rows as the earlier key told them apart"),
    "silver.track": ("other columns open a version", "the versions that the earlier columns opened"),
    "silver.sequence_by": ("another column decides which version wins", "the versions that won until now"),
    "silver.valid_from": ("versions hold since other instants", "the intervals as they were"),
    "silver.initial_valid_from": ("first versions hold since other instants", "the intervals as they were"),
    "extract.deleted_column": ("other rows count as deleted", ""),
    "transform": ("rows refined so far are of the earlier function", ""),
}
_COLUMN_ANEW = {
    "expression": "rows refined so far hold what the earlier expression gave",
    "mask": "rows refined so far hold the value as it was masked before",
    "default": "rows refined so far hold the earlier default",
    "renamed_from": "rows refined so far know nothing of the earlier name",
}
_COLUMN_FIRST = {
    "expression": "rows refined so far hold what was read, or no such column",
    "mask": "rows refined so far hold the value itself",
    "default": "rows refined so far hold NULL where nothing was told",
}
_LAYOUT_OF_GOLD = "the build that this causes lays its files out so"
_LAYOUT_OF_SILVER = "the table keeps the layout it has until `headwater rebuild` of it applies this one"
_NEW_TABLE = "declare a table of another name and let consumers move, or take the change back"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a change does, why, what is lost, and whether the table that exists cannot take the new rows."""

    effect: Effect
    why: str
    destroys: str = ""
    reshapes: bool = False


def bronze_rule(old: TableSpec, new: TableSpec, path: str) -> Judgement:
    """What a change at ``path`` does to a bronze table, which is append-only and can be made from nothing."""
    if path == "extract.kind":
        return Judgement(Effect.REFUSE, f"rows of another kind of source have no place in this order; {_NEW_TABLE}")
    if path == "extract.cursor" and _cursor(old) and _cursor(new):
        return Judgement(Effect.REFUSE, f"the table's progress is told in values of the earlier cursor; {_NEW_TABLE}")
    if path == "extract.mode" and old.extract.mode == "snapshot":
        # before anything is read: a piece among full extracts would look like one that lost most of its rows
        why = "only full extracts tell what was deleted so far; derived again without them, it would come back"
        return Judgement(Effect.REFUSE, f"{why}; {_NEW_TABLE}")
    if path.startswith("extract.columns."):
        return _landing_column(old, new, path.removeprefix("extract.columns."))
    return Judgement(Effect.NOTHING, "rows are read so from now on; rows read before stay")


def gold_rule(old: GoldSpec, new: GoldSpec, path: str) -> Judgement:
    """What a change at ``path`` does to a gold table, which can be made again from its inputs."""
    if path == "grain":
        return Judgement(
            Effect.REBUILD, "a row is something else", "the rows as the earlier grain told them apart", True
        )
    if path == "mode":
        return Judgement(Effect.REBUILD, "the table is made anew once, then kept up in the new mode")
    if path.startswith("transform") or (path == "sql" and not (old.sql and new.sql)):
        return Judgement(Effect.REBUILD, "the table is made anew by another transform")
    if path == "sql":
        gone = [name for name in made_columns(old.sql) if name not in made_columns(new.sql)]
        return Judgement(Effect.REBUILD, "the table is made anew by the new SQL", _columns(gone), bool(gone))
    return Judgement(Effect.EVOLVE, _LAYOUT_OF_GOLD)


def silver_rule(old: TableSpec, new: TableSpec, path: str) -> Judgement:
    """What a change at ``path`` does to a silver table, which can be made again from bronze."""
    if path == "extract.mode":
        return _extract_mode(new)
    if path.startswith("columns."):
        name, key = path.removeprefix("columns.").rsplit(".", 1)
        return _column(old, new, name, key)
    if path == "sql":
        return _silver_sql(old, new)
    if path not in _ANEW:
        return Judgement(Effect.NOTHING, _LAYOUT_OF_SILVER)
    why, lost = _ANEW[path]
    # a history that stays one, by the same key, keeps in its table what was known when
    reshapes = path == "key" or (path in {"silver.mode", "silver.as"} and old.silver.form != new.silver.form)
    lost += ", and what was known when" if reshapes and old.silver.form == "scd2" else ""
    return Judgement(Effect.REBUILD, why, lost, reshapes)


def _silver_sql(old: TableSpec, new: TableSpec) -> Judgement:
    made = made_columns(new.sql)
    gone = [name for name in made_columns(old.sql) if new.sql and "*" not in made and name not in made and name != "*"]
    return Judgement(Effect.REBUILD, "rows refined so far are of the earlier SQL", _columns(gone), bool(gone))


def _columns(gone: list[str]) -> str:
    return f"the columns {', '.join(gone)}" if gone else ""


def _extract_mode(new: TableSpec) -> Judgement:
    if new.extract.mode == "snapshot":
        why = f"rows read piece by piece are no full extract to compare the next one with; {_NEW_TABLE}"
        return Judgement(Effect.REFUSE, why)
    return Judgement(Effect.NOTHING, "it is made of what its bronze table holds")


def _column(old: TableSpec, new: TableSpec, name: str, key: str) -> Judgement:
    before, after = old.columns.get(name), new.columns.get(name)
    if key == "rename":
        silver_name = (before.rename if before else None) or name
        return Judgement(Effect.REBUILD, "a column gets another name", f"the column {silver_name}, by that name", True)
    if key == "type":
        was, now = before.type if before else None, after.type if after else None
        if was and now and is_widening(was, now):
            return Judgement(Effect.EVOLVE, "the new type holds every value of the earlier one")
        return Judgement(Effect.REBUILD, "values get another type", f"the column {name} in its earlier type", True)
    if key == "expression" and before is None and _is_new(old, name):
        return Judgement(Effect.EVOLVE, "a column is added; rows refined before hold NULL in it until a rebuild")
    if key == "expression" and after is None and _is_new(old, name):
        return Judgement(Effect.REBUILD, "a column is no longer made", f"the column {name}", True)
    is_first = before is None or getattr(before, key) is None
    return Judgement(Effect.REBUILD, (_COLUMN_FIRST if is_first else {}).get(key, _COLUMN_ANEW[key]))


def _is_new(old: TableSpec, name: str) -> bool:
    """Whether the files tell that the source has no such column, so that an expression alone makes it."""
    return isinstance(old.extract, FilesExtract) and name not in old.extract.columns


def _landing_column(old: TableSpec, new: TableSpec, name: str) -> Judgement:
    was = old.extract.columns.get(name) if isinstance(old.extract, FilesExtract) else None
    now = new.extract.columns.get(name) if isinstance(new.extract, FilesExtract) else None
    if now is None:
        return Judgement(Effect.REFUSE, f"bronze keeps the columns it has; {_NEW_TABLE}")
    if was is not None and not is_widening(was, now):
        return Judgement(Effect.REFUSE, f"bronze holds values of the earlier type; {_NEW_TABLE}")
    if new.drift != "evolve":
        why = f"the table is declared `drift: {new.drift}`; set `drift: evolve` to take the change"
        return Judgement(Effect.REFUSE, why)
    return Judgement(Effect.EVOLVE, "a column is added" if was is None else "the new type holds every earlier value")


def _cursor(table: TableSpec) -> str | None:
    return table.extract.cursor if isinstance(table.extract, SqlExtract) else None
