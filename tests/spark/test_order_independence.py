"""Events shuffled over batches give what one sorted batch gives (rules 27, 33, 35); many keys in one job."""

from __future__ import annotations

import random
from typing import Any

import pytest

from headwater.domain.names import Layer

COLUMNS = "k bigint, v string, u timestamp"
KEYS, EVENTS, BATCHES = 40, 6, 3


def events(seed: int) -> list[tuple[int, str, int, str]]:
    """(key, value, day, op): few values, so that unchanged events and returns to an old value are common."""
    dice = random.Random(seed)
    made = []
    for key in range(KEYS):
        days = dice.sample(range(1, 28), dice.randint(1, EVENTS))
        made += [(key, dice.choice("ab"), day, "d" if dice.random() < 0.2 else "u") for day in days]
    return made


def put(lake: Any, batch: int, rows: list[tuple[int, str, int, str]], table: str) -> Any:
    values = [f"{key}, '{value}', TIMESTAMP '2026-02-{day:02d} 00:00:00Z'" for key, value, day, _ in rows]
    return lake.bronze(batch, COLUMNS, values, table, "".join(op for *_, op in rows))


@pytest.mark.parametrize("mode", ["upsert", "scd2"])
def test_shuffled_batches_equal_one_sorted_batch(lake: Any, mode: str) -> None:
    every = events(7)
    shuffled, ordered = (
        lake.spec(mode, sequence_by="u", name="shuffled"),
        lake.spec(mode, sequence_by="u", name="ordered"),
    )
    if mode == "scd2":
        shuffled, ordered = (
            spec.model_copy(update={"silver": spec.silver.model_copy(update={"track": ("v",)})})
            for spec in (shuffled, ordered)
        )
    mixed = random.Random(8).sample(every, len(every))
    for batch in range(1, BATCHES + 1):
        source = put(lake, batch, mixed[batch - 1 :: BATCHES], "shuffled")
        assert lake.refine(shuffled, source).status == "staged"
    assert lake.refine(ordered, put(lake, 1, sorted(every, key=lambda event: event[2]), "ordered")).status == "staged"
    assert believed(lake, "shuffled", mode) == believed(lake, "ordered", mode)
    if mode == "scd2":
        check = lake.validate(
            lake.name(Layer.SILVER, "shuffled"), "dataset: lake/silver/x\nchecks: [{row_count: {}}]", key=("k",)
        )
        assert check.verdict.passed, check.verdict.reason


def believed(lake: Any, table: str, mode: str) -> list[tuple[object, ...]]:
    where = "NOT _hw_deleted" + (" AND batch_out IS NULL" if mode == "scd2" else "")
    times = ("valid_from", "valid_to") if mode == "scd2" else ()
    rows = lake.rows(lake.name(Layer.SILVER, table), where, "k, u")
    assert rows
    return [(row.k, row.v, row.u, *(row[name] for name in times)) for row in rows]
