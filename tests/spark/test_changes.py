"""What only streams of changes have: changed keys, truncations, values left out (rules 27, 33). Three jobs do all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from headwater.domain.names import Layer
from headwater.domain.spec import ColumnRule, Silver

COLUMNS = "k bigint, v string, w string"
ALL = ["k", "v", "w"]
Event = dict[str, Any]


def event(place: int, op: str, k: int | None, v: str | None = None, w: str | None = None, **more: Any) -> Event:
    """An event at a place of the log; ``w="?"`` is left out."""
    left_out = ["w"] if w == "?" else []
    row = {"k": k, "v": v, "w": None if left_out else w}
    at = datetime(2026, 2, 1, 0, place, tzinfo=UTC)
    marks = {"_hw_carried": [name for name in ALL if name not in left_out], "_hw_unavailable": left_out}
    return {**row, **marks, "_hw_op": op, "_hw_position": f"{place:04d}", "_hw_event_at": at, **more}


def renamed(place: int, old: int, new: int, v: str, w: str = "?") -> list[Event]:
    """A key change: the deletion of the old key, and the new one, at one place."""
    return [event(place, "d", old), event(place, "c", new, v, w, _hw_old_key=json.dumps({"k": old}))]


CDC, HISTORY = Silver(mode="cdc"), Silver(mode="cdc", applied_as="scd2")
TABLES: dict[str, tuple[Silver, dict[str, ColumnRule], list[list[Event]]]] = {
    "renamed": (
        CDC,
        {},
        [
            [event(1, "c", 1, "a", "big"), *renamed(2, 1, 2, "b"), event(3, "u", 2, "c", "?")],
            [*renamed(5, 2, 3, "d")],
            # the value of the first key, late: every key it was handed on to has it
            [event(4, "u", 2, "c2", "bigger")],
        ],
    ),
    "truncated": (
        HISTORY,
        {},
        [
            [event(1, "c", 1, "a"), event(2, "c", 2, "b")],
            [event(5, "t", None), event(6, "c", 2, "new"), event(7, "c", 3, "c")],
            [event(3, "u", 1, "late"), event(4, "c", 4, "late"), event(8, "u", 3, "d")],
        ],
    ),
    "late_cut": (CDC, {}, [[event(1, "c", 1, "a"), event(6, "c", 2, "b")], [event(5, "t", None)], []]),
    "set_aside": (
        CDC,
        {},
        [
            [event(1, "c", 1, "good", "x"), event(1, "c", 2, "good", "x")],
            [event(2, "u", 1, "bad", "y")],
            # what it leaves out is what the row set aside had
            [event(3, "u", 1, "good again", "?"), event(3, "u", 2, "better", "?")],
        ],
    ),
    "derived": (
        CDC,
        {"both": ColumnRule(expression="concat(v, w)"), "w": ColumnRule(rename="text")},
        [[event(1, "c", 1, "a", "x")], [event(2, "u", 1, "b", "?")], []],
    ),
    "fitting": (
        CDC,
        {},
        [
            [event(1, "c", 1, "keep"), event(1, "c", 2, "keep")],
            [event(3, "u", 1, "drop")],
            [event(2, "u", 1, "keep")],
        ],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def after(shared_lake: Any) -> dict[str, list[list[Any]]]:
    """Table -> after each batch: its visible rows."""
    lake = shared_lake
    found: dict[str, list[list[Any]]] = {name: [] for name in TABLES}
    for batch in (1, 2, 3):
        tables = []
        for name, (silver, rules, batches) in TABLES.items():
            update = {"silver": silver, "columns": rules}
            if name == "fitting":
                update["sql"] = f"SELECT b.k, b.v, b.w FROM bronze.{lake.source}.fitting AS b WHERE b.v = 'keep'"
            spec = lake.spec("upsert", name=name).model_copy(update=update)
            source = lake.events(batch, COLUMNS, batches[batch - 1], name, changes=True)
            tables.append(lake.refine_spec(spec, source, {"v is good": "v = 'bad'"}))
        assert [result.error for result in lake.refine_all(tables)] == [None] * len(tables)
        for name, (silver, *_) in TABLES.items():
            where = "NOT _hw_deleted" + (" AND batch_out IS NULL" if silver is HISTORY else "")
            found[name].append(lake.rows(lake.name(Layer.SILVER, name), where))
    return found


def rows(found: list[Any], *names: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row[name] for name in names) for row in found), key=str)


def test_a_changed_key_takes_along_what_its_event_leaves_out(after: Any) -> None:
    first, second, third = after["renamed"]
    assert rows(first, *ALL) == [(2, "c", "big")]
    assert rows(second, *ALL) == [(3, "d", "big")]
    assert rows(third, *ALL) == [(3, "d", "bigger")]


def test_a_truncation_ends_what_came_before_it_however_late_it_comes(after: Any) -> None:
    *_, last = after["truncated"]
    minutes = [(row.k, row.v, row.valid_from.minute, row.valid_to and row.valid_to.minute) for row in last]
    assert sorted(minutes, key=str) == [
        (1, "a", 1, 3),
        (1, "late", 3, 5),
        (2, "b", 2, 5),
        (2, "new", 6, None),
        (3, "c", 7, 8),
        (3, "d", 8, None),
        (4, "late", 4, 5),
    ]


def test_a_truncation_that_comes_late_spares_what_is_newer(after: Any) -> None:
    first, second, _ = after["late_cut"]
    assert rows(first, "k", "v") == [(1, "a"), (2, "b")]
    assert rows(second, "k", "v") == [(2, "b")]


def test_a_partial_update_goes_on_from_the_row_that_was_set_aside(after: Any) -> None:
    _, second, third = after["set_aside"]
    assert rows(second, *ALL) == [(1, "good", "x"), (2, "good", "x")]
    assert rows(third, *ALL) == [(1, "good again", "y"), (2, "better", "x")]


def test_an_expression_over_what_was_left_out_is_made_of_whole_events(after: Any) -> None:
    _, second, _ = after["derived"]
    assert rows(second, "k", "v", "text", "both") == [(1, "b", "x", "bx")]


def test_a_row_that_no_longer_fits_the_silver_sql_goes_and_stays_away(after: Any) -> None:
    first, second, third = after["fitting"]
    assert rows(first, "k") == [(1,), (2,)]
    assert rows(second, "k") == rows(third, "k") == [(2,)]
