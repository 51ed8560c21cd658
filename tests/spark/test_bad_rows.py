"""Bad input on its way to silver: a row is kept or set aside, never wrong. Two jobs do every case."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from headwater.domain.names import Layer
from headwater.domain.spec import ColumnRule, Silver

UPSERT, SCD2 = Silver(mode="upsert", sequence_by="u"), Silver(mode="scd2", sequence_by="u")
CDC, CDC_SCD2 = Silver(mode="cdc"), Silver(mode="cdc", applied_as="scd2")
MODES = {"upsert": UPSERT, "scd2": SCD2, "cdc": CDC, "cdc_scd2": CDC_SCD2}
COLUMNS = "k bigint, v string, w string, u timestamp"
WIDE = [f"c{n}" for n in range(300)]
Row = dict[str, Any]


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def row(k: int | None, v: str | None, u: datetime | None, op: str = "u", **more: Any) -> Row:
    return {"k": k, "v": v, "u": u, "_hw_op": op, **more}


@dataclass
class Case:
    """A table's two batches, and what has to be visible of (k, v) and set aside after the last."""

    batches: tuple[list[Row], list[Row]]
    expect: list[tuple[Any, ...]]
    aside: list[str] = field(default_factory=list)
    modes: tuple[str, ...] = ("upsert", "scd2", "cdc", "cdc_scd2")
    columns: str = COLUMNS
    rules: dict[str, ColumnRule] = field(default_factory=dict)
    shown: tuple[str, ...] = ("k", "v")


YEARS = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, UTC))
LEFT_OUT: dict[str, Any] = {"_hw_unavailable": ["w"], "_hw_carried": ["k", "v", "u"]}
CASES = {
    "the same key several times in a batch": Case(
        ([row(1, "a", day(1)), row(1, "c", day(3)), row(1, "b", day(2))], []), [(1, "b")], modes=("cdc", "cdc_scd2")
    ),
    "the same key several times, with a sequence": Case(
        ([row(1, "a", day(1)), row(1, "c", day(3)), row(1, "b", day(2))], []), [(1, "c")], modes=("upsert", "scd2")
    ),
    "a row without key": Case(([row(None, "x", day(1)), row(1, "a", day(1))], []), [(1, "a")], ["key is missing"]),
    "a sequence that is null": Case(
        ([row(1, "a", day(1)), row(2, "x", None)], [row(1, "null", None), row(2, "b", None)]), [(1, "a"), (2, "b")],
        modes=("upsert", "scd2"),
    ),
    "sequences that are equal": Case(
        ([row(1, "a", day(1)), row(2, "b", day(1))], [row(1, "later", day(1)), row(2, "b", day(1))]),
        [(1, "later"), (2, "b")],
    ),
    "an event before the first snapshot": Case(
        ([row(1, "early", day(1), **LEFT_OUT), row(2, "early", day(1))], [row(1, "a", day(2), "r", w="w")]),
        [(1, "a", "w"), (2, "early", None)], ["value of w was never told"], modes=("cdc", "cdc_scd2"),
        shown=("k", "v", "w"),
    ),
    "an event before the first snapshot that comes after it": Case(
        ([row(1, "a", day(2), "r", w="w", _hw_position="5")], [row(1, "early", day(1), _hw_position="4")]),
        [(1, "a", "w")], modes=("cdc", "cdc_scd2"), shown=("k", "v", "w"),
    ),
    "a deletion of the unknown": Case(
        ([row(1, None, day(3), "d", _hw_position="9")], [row(1, "late", day(2), "c", _hw_position="8")]), []
    ),
    "an update of the deleted": Case(
        (
            [row(1, "a", day(1), _hw_position="1"), row(2, "a", day(1), _hw_position="1")],
            [
                row(1, None, day(4), "d", _hw_position="4"),
                row(2, None, day(4), "d", _hw_position="4"),
                row(1, "newer", day(5), _hw_position="5"),
                row(2, "older", day(3), _hw_position="3"),
            ],
        ),
        [(1, "newer")],
    ),
    "years 1 and 9999": Case(
        ([row(1, "a", YEARS[0]), row(2, "z", YEARS[1])], []), [(1, YEARS[0]), (2, YEARS[1])], shown=("k", "u")
    ),
    "a decimal that overflows": Case(
        ([row(1, "12345.678", day(1)), row(2, "-999.99", day(1))], []), [(2, Decimal("-999.99"))], ["type of v"],
        rules={"v": ColumnRule(type="decimal(5,2)")},
    ),
    "characters of no and of four bytes": Case(
        ([row(1, "a\x00b", day(1)), row(2, "😀𝄞", day(1))], []), [(1, "a\x00b"), (2, "😀𝄞")]
    ),
    "300 columns": Case(
        ([{"k": 1, "u": day(1), "_hw_op": "c"} | dict.fromkeys(WIDE, "x")], []), [(1, "x", "x")],
        columns="k bigint, u timestamp, " + ", ".join(f"{name} string" for name in WIDE), shown=("k", "c0", "c299"),
        modes=("upsert", "cdc_scd2"),
    ),
    "no rows at all": Case(([], []), []),
    "columns that are null throughout": Case(
        ([row(1, None, day(1)), row(2, None, day(1))], []), [(1, None), (2, None)]
    ),
}  # fmt: skip
APART = [name for name, case in CASES.items() if case.columns != COLUMNS or case.rules or not any(case.batches)]
"""Cases that need a table of their own; keys of all others are told apart by their case's number."""
TRIED = [(name, mode) for name, case in CASES.items() for mode in case.modes]


def table_of(name: str, mode: str) -> str:
    return f"t{list(CASES).index(name)}_{mode}" if name in APART else f"all_{mode}"


def events_of(name: str, batch: int, mode: str) -> list[Row]:
    """Rows with positions in the order written, and the marks that a stream of changes has."""
    case, number = CASES[name], list(CASES).index(name)
    names = [column.split()[0] for column in case.columns.split(", ")]
    marks = {"_hw_carried": names, "_hw_unavailable": []} if "cdc" in mode else {}
    made = []
    for n, given in enumerate(case.batches[batch - 1]):
        place = given.get("_hw_position", str(batch * 10 + n))
        event = {**marks, **given, "_hw_position": f"{place:>04}-{number:02d}"}
        event["k"] = None if given["k"] is None else number * 100 + given["k"]
        if "cdc" in mode:
            event["_hw_event_at"] = datetime(2026, 2, 1, 0, int(place), tzinfo=UTC)
        else:
            event = {name: value for name, value in event.items() if name not in LEFT_OUT}
        made.append(event)
    return made


@pytest.fixture(scope="module")
def refined(shared_lake: Any) -> Any:
    lake = shared_lake
    for batch in (1, 2):
        rows: dict[tuple[str, str], list[Row]] = {}
        for name, mode in TRIED:
            rows.setdefault((table_of(name, mode), mode), []).extend(events_of(name, batch, mode))
        tables = []
        for (table, mode), events in rows.items():
            case = next(CASES[name] for name, tried in TRIED if table_of(name, tried) == table)
            spec = lake.spec("upsert", name=table).model_copy(update={"silver": MODES[mode], "columns": case.rules})
            source = lake.events(batch, case.columns, events, table, changes="cdc" in mode)
            tables.append(lake.refine_spec(spec, source))
        assert [result.error for result in lake.refine_all(tables)] == [None] * len(tables)
    return lake


@pytest.mark.parametrize(("name", "mode"), TRIED, ids=[f"{mode}: {name}" for name, mode in TRIED])
def test_a_bad_row_is_kept_or_set_aside_and_nothing_is_wrong(refined: Any, name: str, mode: str) -> None:
    case, number, table = CASES[name], list(CASES).index(name), table_of(name, mode)
    current = "is_current" if "scd2" in mode else "NOT _hw_deleted"
    rows = refined.rows(refined.name(Layer.SILVER, table), f"{current} AND k DIV 100 = {number}")
    assert sorted((shown(row, case) for row in rows), key=str) == sorted(case.expect, key=str)
    quarantine = refined.name(Layer.QUARANTINE, table)
    if case.aside or refined.spark.catalog.tableExists(quarantine.iceberg):
        aside = refined.rows(quarantine, f"_hw_position LIKE '%-{number:02d}'")
        assert sorted(row._hw_rules for row in aside) == case.aside


def shown(row: Any, case: Case) -> tuple[Any, ...]:
    values = {**row.asDict(), "k": row.k % 100}
    found = (values[name] for name in case.shown)
    return tuple(value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for value in found)
