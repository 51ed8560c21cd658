"""A table derived again equals one derived afresh from the same bronze; history is corrected, never rewritten (35)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.job import Anew
from headwater.domain.names import Layer
from headwater.domain.spec import ColumnRule, TableSpec

COLUMNS = "k bigint, v string, u timestamp"
BATCHES = (
    ["1, 'a', 1, 'u'", "2, 'b', 1, 'u'", "3, 'c', 1, 'u'"],
    ["1, 'd', 3, 'u'", "2, 'b', 3, 'd'"],
    ["3, 'late', 2, 'u'", "4, 'e', 4, 'u'"],
)
MODES = ("upsert", "scd2", "append")
BOUNDS = {"all": Anew(), "since_2": Anew(after_batch=1)}


def event(row: str) -> tuple[str, str]:
    key, value, day, op = (part.strip() for part in row.split(","))
    return f"{key}, {value}, TIMESTAMP '2026-02-0{day} 00:00:00Z'", op.strip("'")


def changed(spec: TableSpec) -> TableSpec:
    """The same table after an edit of its column rules."""
    return spec.model_copy(update={"columns": {"v": ColumnRule(expression="upper(v)")}})


@pytest.fixture(scope="module")
def lake(shared_lake: Any) -> Any:
    """Per mode and bound: refined batch by batch, edited, derived again; per mode a fresh table by the new rules."""
    lake = shared_lake
    names = {f"{mode}_{bound}": (mode, bound) for mode in MODES for bound in BOUNDS}
    specs = {name: spec_of(lake, mode, name) for name, (mode, _) in names.items()}
    for batch, rows in enumerate(BATCHES, 1):
        sources = {name: put(lake, batch, rows, name) for name in specs}
        results = lake.refine_all([lake.refine_spec(specs[name], source) for name, source in sources.items()])
        assert [result.error for result in results] == [None] * len(specs)
    orders = []
    for name, (_, bound) in names.items():
        order = lake.refine_spec(changed(specs[name]), sources[name])
        silver = order.silver
        damage(lake, silver)
        orders.append(order.model_copy(update={"from_batch": 0, "anew": BOUNDS[bound], "base": lake.head(silver)}))
    for mode in MODES:
        fresh = f"{mode}_fresh"
        for batch, rows in enumerate(BATCHES, 1):
            source = put(lake, batch, rows, fresh)
        orders.append(lake.refine_spec(changed(spec_of(lake, mode, fresh)), source))
    results = lake.refine_all(orders)
    assert [result.error for result in results] == [None] * len(orders)
    return lake


def spec_of(lake: Any, mode: str, name: str) -> TableSpec:
    sequence = {} if mode == "append" else {"sequence_by": "u"}
    spec: TableSpec = lake.spec(mode, name=name, **sequence)
    return spec if mode != "append" else spec.model_copy(update={"key": ()})


def put(lake: Any, batch: int, rows: list[str], table: str) -> Any:
    events = [event(row) for row in rows]
    return lake.bronze(batch, COLUMNS, [values for values, _ in events], table, "".join(op for _, op in events))


def damage(lake: Any, silver: Any) -> None:
    """A row no bronze row gives, published by whatever went wrong."""
    lake.spark.sql(f"CREATE OR REPLACE TEMP VIEW one AS SELECT * FROM {silver.iceberg} LIMIT 1").collect()
    stray = "SELECT * EXCEPT (k, _hw_batch), 99 AS k, 2 AS _hw_batch FROM one"
    names = ", ".join(lake.spark.table(silver.iceberg).columns)
    lake.spark.sql(f"INSERT INTO {silver.iceberg} SELECT {names} FROM ({stray})").collect()


def rows(lake: Any, name: str, mode: str, where: str = "true") -> list[tuple[Any, ...]]:
    current = {"scd2": "batch_out IS NULL AND NOT _hw_deleted", "upsert": "NOT _hw_deleted", "append": "true"}[mode]
    times = ("valid_from", "valid_to") if mode == "scd2" else ()
    found = lake.rows(lake.name(Layer.SILVER, name), f"{current} AND {where}", "k, u, v")
    return [(row.k, row.v, row.u, *(row[time] for time in times)) for row in found]


@pytest.mark.parametrize("mode", MODES)
def test_derived_again_equals_derived_afresh(lake: Any, mode: str) -> None:
    """Whatever stood there: rows by older rules, and rows that never came from bronze."""
    assert rows(lake, f"{mode}_all", mode) == rows(lake, f"{mode}_fresh", mode) != []


@pytest.mark.parametrize("mode", ["upsert", "scd2"])
def test_from_a_batch_on_only_keys_it_concerns_are_derived_again(lake: Any, mode: str) -> None:
    """All keys of the later batches, from all their events; the stray key was in none."""
    found = rows(lake, f"{mode}_since_2", mode, "k <> 99")
    assert found == rows(lake, f"{mode}_fresh", mode)
    assert [row[0] for row in rows(lake, f"{mode}_since_2", mode, "k = 99")] == [99]


def test_from_a_batch_on_append_keeps_the_rows_of_earlier_ones(lake: Any) -> None:
    found = rows(lake, "append_since_2", "append")
    assert sorted(row[1] for row in found) == ["B", "D", "E", "LATE", "a", "b", "c"]


def test_history_is_corrected_and_what_was_known_stays(lake: Any) -> None:
    """Rule 35: old beliefs carry the run that ended them; none is gone."""
    table = lake.name(Layer.SILVER, "scd2_all")
    ended = lake.rows(table, "k = 1 AND batch_out IS NOT NULL", "valid_from")
    assert [row.v for row in ended] == ["a", "d"]
    assert lake.rows(table, "k = 99 AND batch_out IS NULL") == []
    assert len(lake.rows(table, "k = 99")) == 1


def test_a_history_of_full_extracts_derived_again_stays_as_it_is(shared_lake: Any) -> None:
    """Rule 35: a version that is closed and believed already is not added a second time."""
    lake, name, columns = shared_lake, "in_order", "k bigint, v string"
    spec = lake.spec("scd2", extract="snapshot", name=name)
    for batch, value in enumerate("ab", 1):
        order = lake.refine_spec(spec, lake.bronze(batch, columns, [f"1, '{value}'", "2, 'x'"], name))
        assert [result.error for result in lake.refine_all([order])] == [None]
    before = lake.rows(order.silver, "batch_out IS NULL", "k, valid_from")
    anew = order.model_copy(update={"from_batch": 0, "anew": Anew(), "base": lake.head(order.silver)})
    assert [result.error for result in lake.refine_all([anew])] == [None]
    after = lake.rows(order.silver, "batch_out IS NULL", "k, valid_from")
    assert [(row.k, row.v, row.valid_to) for row in after] == [(row.k, row.v, row.valid_to) for row in before]
    assert len(after) == 3
