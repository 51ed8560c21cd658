"""Events shuffled over batches give what one sorted batch gives (rules 27, 33, 35); many keys in three jobs."""

from __future__ import annotations

import random
from typing import Any

import pytest

from headwater.domain.names import Layer
from headwater_spark.gate.implicit import implicit_checks
from headwater_spark.gate.pinned_view import pinned_rows

Event = tuple[int, str, int, str]
"""Key, value, day, op."""
COLUMNS = "k bigint, v string, u timestamp"
KEYS, EVENTS, BATCHES = 40, 6, 3
MODES = ("upsert", "scd2")
CUTS = {"ordered": 1, "shuffled": 1, "batched": BATCHES}
"""Table -> number of batches."""


def events(seed: int) -> list[Event]:
    """Sorted by day. Few values, so that unchanged events and returns to an old value are common."""
    dice = random.Random(seed)
    made = []
    for key in range(KEYS):
        days = dice.sample(range(1, 28), dice.randint(1, EVENTS))
        made += [(key, dice.choice("ab"), day, "d" if dice.random() < 0.2 else "u") for day in days]
    return sorted(made, key=lambda event: event[2])


def put(lake: Any, batch: int, rows: list[Event], table: str) -> Any:
    values = [f"{key}, '{value}', TIMESTAMP '2026-02-{day:02d} 00:00:00Z'" for key, value, day, _ in rows]
    return lake.bronze(batch, COLUMNS, values, table, "".join(op for *_, op in rows))


@pytest.fixture(scope="module")
def refined(shared_lake: Any) -> Any:
    """The same events in every mode and cut."""
    lake, every = shared_lake, events(7)
    mixed = random.Random(8).sample(every, len(every))
    track = {"upsert": (), "scd2": ("v",)}
    for batch in range(1, BATCHES + 1):
        due = [(mode, cut) for mode in MODES for cut, batches in CUTS.items() if batch <= batches]
        tables = []
        for mode, cut in due:
            spec = lake.spec(mode, name=f"{mode}_{cut}", sequence_by="u", track=track[mode])
            rows = (every if cut == "ordered" else mixed)[batch - 1 :: CUTS[cut]]
            tables.append(lake.refine_spec(spec, put(lake, batch, rows, spec.name)))
        results = lake.refine_all(tables)
        assert [result.error for result in results] == [None] * len(due)
    return lake


@pytest.mark.parametrize("cut", ["shuffled", "batched"])
@pytest.mark.parametrize("mode", MODES)
def test_shuffled_batches_equal_one_sorted_batch(refined: Any, mode: str, cut: str) -> None:
    assert believed(refined, f"{mode}_{cut}", mode) == believed(refined, f"{mode}_ordered", mode)


def test_the_last_event_of_a_key_is_its_row(refined: Any) -> None:
    """Rules 27, 33: what was sorted is right, not only equal."""
    last = {key: (value, op) for key, value, _, op in events(7)}
    expected = [(key, value) for key, (value, op) in sorted(last.items()) if op != "d"]
    assert [row[:2] for row in believed(refined, "upsert_ordered", "upsert")] == expected
    current = refined.rows(refined.name(Layer.SILVER, "scd2_batched"), "is_current", "k")
    assert [(row.k, row.v) for row in current] == expected


def test_histories_of_late_events_do_not_overlap(refined: Any) -> None:
    """Rule 35."""
    for cut in CUTS:
        table = refined.judging(refined.name(Layer.SILVER, f"scd2_{cut}"), "", key=("k",))
        checks = list(implicit_checks(pinned_rows(refined.spark, table), table))
        assert [(check.name, check.outcome) for check in checks] == [
            ("key is unique", "passed"),
            ("versions do not overlap", "passed"),
        ]


def believed(lake: Any, table: str, mode: str) -> list[tuple[object, ...]]:
    where = "NOT _hw_deleted" + (" AND batch_out IS NULL" if mode == "scd2" else "")
    times = ("valid_from", "valid_to") if mode == "scd2" else ()
    rows = lake.rows(lake.name(Layer.SILVER, table), where, "k, u")
    assert rows
    return [(row.k, row.v, row.u, *(row[name] for name in times)) for row in rows]
