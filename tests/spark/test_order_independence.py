"""Events in any order, in any batches, delivered twice, by jobs that die: the tables are those of one sorted batch.

Rules 27, 33, 35, 36. Many independent histories lie in one table, so that one job tries them all; what a history has
to end in is worked out here in plain Python as well.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from headwater.domain.names import Layer
from headwater.domain.spec import Silver
from headwater.ports.failpoints import VARIABLE
from headwater_spark.gate.implicit import implicit_checks
from headwater_spark.gate.pinned_view import pinned_rows
from headwater_spark.tables import touched_rows

HISTORIES, KEYS, EVENTS = 30, 10, 40
DELETES, DUPLICATES, NULLS, PARTIAL = 0.2, 0.15, 0.25, 0.25
COLUMNS = "h bigint, k bigint, v string, w string, u timestamp"
CUTS = {"sorted": 1, "one": 1, "six": 6}
"""Table -> number of batches; all but the first are shuffled."""
DEADLY = (2, 5)
"""Batches that an attempt dies at before one gets through."""
LARGE = (2, 4, 6)
"""Batches that are merged as into tables of many files and rows."""
MODES = {
    "upsert": Silver(mode="upsert", sequence_by="u"),
    "scd2": Silver(mode="scd2", sequence_by="u", track=("v",)),
    "cdc": Silver(mode="cdc"),
    "cdc_scd2": Silver(mode="cdc", applied_as="scd2", track=("v",)),
}
Event = dict[str, Any]
BEGIN = datetime(2026, 2, 1, tzinfo=UTC)


def histories(dice: random.Random, *, changes: bool) -> list[Event]:
    """Sorted by position. Few values and times, so that equal rows, equal times and returns are common."""
    made: list[Event] = []
    for place in range(HISTORIES * KEYS * EVENTS):
        history, key = place % HISTORIES, dice.randrange(KEYS)
        if dice.random() < dice.choice((0.2, 0.6, 1.0)):
            made.append(_event(dice, history, key, place, changes=changes))
    if changes:
        made += [_cut(place) for place in sorted(dice.sample(range(HISTORIES * KEYS * EVENTS), 2))]
    return sorted(made, key=lambda event: str(event["_hw_position"]))


def _event(dice: random.Random, history: int, key: int, place: int, *, changes: bool) -> Event:
    deleted = dice.random() < DELETES
    values = {name: None if dice.random() < NULLS else dice.choice("ab") for name in ("v", "w")}
    minute = place // HISTORIES
    at = BEGIN + timedelta(minutes=minute - dice.choice((0, 0, 0, 1, 40)))
    event: Event = {"h": history, "k": key, "_hw_position": f"{place:06d}", "_hw_op": "d" if deleted else "u"}
    if not changes:
        return event | values | {"u": None if dice.random() < 0.05 else at}
    event |= {"_hw_event_at": at, "_hw_carried": ["h", "k"], "_hw_unavailable": [], "u": None}
    if deleted:
        return event | {"v": None, "w": None}
    event["_hw_op"] = dice.choice("cuuuu")
    if event["_hw_op"] == "u" and dice.random() < PARTIAL:
        return event | {"v": values["v"], "_hw_carried": ["h", "k", "v", "u"], "_hw_unavailable": ["w"]}
    return event | values | {"_hw_carried": ["h", "k", "v", "w", "u"]}


def _cut(place: int) -> Event:
    at = BEGIN + timedelta(minutes=place // HISTORIES)
    none: list[str] = []
    return {
        "_hw_op": "t",
        "_hw_position": f"{place:06d}-t",
        "_hw_event_at": at,
        "_hw_carried": none,
        "_hw_unavailable": none,
    }


def batches(every: list[Event], cut: str, dice: random.Random) -> Iterator[list[Event]]:
    """The events of a table in its batches; the same event may come in two of them."""
    if cut == "sorted":
        yield every
        return
    twice = every + [event for event in every if dice.random() < DUPLICATES]
    dice.shuffle(twice)
    for number in range(CUTS[cut]):
        yield twice[number :: CUTS[cut]]


def last_rows(every: list[Event], *, changes: bool) -> dict[tuple[int, int], tuple[Any, ...]]:
    """What every key ends in, deleted ones left out; unknown values are told by None."""
    rows: dict[tuple[int, int], Event | None] = {}
    far = BEGIN - timedelta(days=1)
    ordered = every if changes else sorted(every, key=lambda e: (e["u"] is not None, e["u"] or far, e["_hw_position"]))
    for event in ordered:
        if event["_hw_op"] == "t":
            rows = dict.fromkeys(rows)
            continue
        key = (event["h"], event["k"])
        before = rows.get(key)
        row = None if event["_hw_op"] == "d" else dict(event)
        if row is not None and event.get("_hw_unavailable"):
            row |= {"w": before["w"] if before else None, "unknown": before is None or before.get("unknown", False)}
        rows[key] = row
    return {key: (row["v"], row["w"], row["u"]) for key, row in rows.items() if row and not row.get("unknown")}


class Tried:
    """One draw of histories, refined in every mode and cut."""

    def __init__(self, lake: Any, seed: int) -> None:
        self.lake, self.seed = lake, seed
        self.every = {mode: histories(random.Random(seed), changes="cdc" in mode) for mode in MODES}

    def refine(self, dies: pytest.MonkeyPatch) -> None:
        """Every mode in every cut, side by side; before some batches an attempt dies."""
        dice = random.Random(self.seed + 1)
        due = {
            (mode, cut): list(batches(self.every[mode], cut, random.Random(self.seed)))
            for mode in MODES
            for cut in CUTS
        }
        for number in range(1, max(CUTS.values()) + 1):
            tables = []
            for (mode, cut), rows in due.items():
                if number <= len(rows):
                    name, changes = f"{mode}_{cut}", "cdc" in mode
                    spec = self.lake.spec("upsert", name=name).model_copy(
                        update={"key": ("h", "k"), "silver": MODES[mode]}
                    )
                    source = self.lake.events(number, COLUMNS, rows[number - 1], name, changes=changes)
                    tables.append(self.lake.refine_spec(spec, source))
            if number in DEADLY:
                self._die(dies, dice, number, tables)
            with dies.context() as patch:
                if number in LARGE:
                    patch.setattr(touched_rows, "MANY_FILES", 0)
                    patch.setattr(touched_rows, "MANY_ROWS", 0)
                results = self.lake.refine_all(tables)
            assert [result.error for result in results] == [None] * len(tables)

    def _die(self, dies: pytest.MonkeyPatch, dice: random.Random, number: int, tables: list[Any]) -> None:
        """An attempt that ends somewhere, and whose staging is never published."""
        point = dice.choice(("refine.before_write", "refine.after_write"))
        with dies.context() as patch:
            patch.setenv(VARIABLE, f"{point}:raise")
            self.lake.run(self.lake.job("refine", number, refine=tuple(tables)))

    def believed(self, mode: str, cut: str) -> list[tuple[Any, ...]]:
        history = MODES[mode].form == "scd2"
        where = "NOT _hw_deleted" + (" AND batch_out IS NULL" if history else "")
        times = ("valid_from", "valid_to") if history else ()
        rows = self.lake.rows(self.lake.name(Layer.SILVER, f"{mode}_{cut}"), where)
        found = [(row.h, row.k, row.v, row.w, row.u, *(row[name] for name in times)) for row in rows]
        return sorted(found, key=str)

    def outcomes(self, mode: str, cut: str) -> list[str]:
        """Of the gate's own checks: unique keys, and histories without overlap."""
        table = self.lake.judging(self.lake.name(Layer.SILVER, f"{mode}_{cut}"), "", key=("h", "k"))
        return [check.outcome for check in implicit_checks(pinned_rows(self.lake.spark, table), table)]

    def current(self, mode: str, cut: str) -> dict[tuple[int, int], tuple[Any, ...]]:
        where = "is_current" if MODES[mode].form == "scd2" else "NOT _hw_deleted"
        rows = self.lake.rows(self.lake.name(Layer.SILVER, f"{mode}_{cut}"), where)
        found: dict[tuple[int, int], list[tuple[Any, ...]]] = defaultdict(list)
        for row in rows:
            at = row.u and row.u.replace(tzinfo=UTC)
            found[row.h, row.k].append((row.v, row.w, at))
        assert {len(values) for values in found.values()} <= {1}
        return {key: values[0] for key, values in found.items()}


@pytest.mark.timeout(1800)
@settings(
    # an example is hundreds of keys with seeds of their own; shrinking it would start Spark jobs for an hour
    max_examples=int(os.environ.get("HEADWATER_EXAMPLES", "1")),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 2**32))
def test_any_order_and_any_batches_give_what_one_sorted_batch_gives(
    new_lake: Any, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """And attempts that die change nothing: what one left on its branch is nobody's (rule 10)."""
    tried = Tried(new_lake(), seed)
    tried.refine(monkeypatch)
    for mode in MODES:
        expected = last_rows(tried.every[mode], changes="cdc" in mode)
        assert tried.current(mode, "sorted") == expected, mode
        for cut in CUTS:
            assert tried.believed(mode, cut) == tried.believed(mode, "sorted"), (mode, cut)
            assert tried.current(mode, cut) == expected, (mode, cut)
            assert set(tried.outcomes(mode, cut)) == {"passed"}, (mode, cut)
