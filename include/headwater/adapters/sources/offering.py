"""What databases offer to a new source: likely cursors, and names that cannot be carried."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.adapters.sources.naming import check_names
from headwater.domain.errors import SchemaDriftError
from headwater.domain.schema import Column

_CURSOR_WORDS = ("updated", "modified", "changed", "last_update", "created", "inserted", "loaded")


def cursor_candidates(columns: Sequence[Column], key: tuple[str, ...]) -> tuple[str, ...]:
    """Times named like one, in the order of the words, then a key that only grows."""
    stamps = [column.name for column in columns if column.type in ("timestamp", "timestamptz")]
    named = [name for word in _CURSOR_WORDS for name in stamps if word in name.lower()]
    grows = [column.name for column in columns if (column.name,) == key and is_whole_number(column.type)]
    return tuple(dict.fromkeys(named + grows))


def is_whole_number(kind: str) -> bool:
    """Whether an Iceberg type holds whole numbers alone."""
    return kind in ("int", "long") or (kind.startswith("decimal(") and kind.endswith(",0)"))


def problem_of_names(names: Sequence[str], relation: str) -> str | None:
    """Why the relation's column names cannot be carried, if so."""
    try:
        check_names(names, relation, {})
    except SchemaDriftError as error:
        return f"{error.message}. {error.remedy}"
    return None
