"""A merge reads only files that can hold its keys, and is right all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.names import Layer
from headwater_spark.tables import touched_rows
from headwater_spark.tables.key_ranges import MOST_RANGES, fewer, ranges_predicate

COLUMNS = "a string, n bigint, v string, u timestamp"
KEYS = [("it''s {0}", 1), ("b", -5), ("Ω", 7), ("", 9), ("c", 2)]
"""Texts that a predicate has to quote, double or leave alone."""
ENDS = st.tuples(st.integers(-1000, 1000), st.integers(0, 50)).map(lambda pair: (pair[0], sum(pair)))


@given(found=st.lists(st.tuples(ENDS, ENDS), min_size=1, max_size=300))
def test_fewer_ranges_hold_all_that_the_given_ones_hold(found: list[Any]) -> None:
    kept = fewer(found)
    assert len(kept) <= MOST_RANGES
    for one in found:
        assert any(all(k[0] <= o[0] and o[1] <= k[1] for k, o in zip(keep, one, strict=True)) for keep in kept)


def test_a_predicate_is_a_format_whose_only_blank_is_the_table() -> None:
    types = {"a{": "string", "n": "bigint", "d": "date"}
    predicate = ranges_predicate(types, [(("x{y}", "z'"), (1, 2), (0, 1))])
    assert predicate.format("t.") == (
        "((t.`a{` BETWEEN 'x{y}' AND 'z\\'' AND t.`n` BETWEEN CAST('1' AS bigint) AND CAST('2' AS bigint) "
        "AND t.`d` BETWEEN date_from_unix_date(0) AND date_from_unix_date(1)))"
    )
    assert ranges_predicate(types, []) == "false"
    # what Spark and Iceberg may order differently bounds nothing
    assert ranges_predicate({"a": "string"}, [(("Ω", "Ω"),)]).format("t.") == "((true))"


def event(key: tuple[str, int], v: str, day: int) -> str:
    return f"'{key[0]}', {key[1]}, '{v}', TIMESTAMP '2026-01-{day:02d} 00:00:00Z'"


@pytest.mark.parametrize("mode", ["upsert", "scd2"])
def test_files_without_the_keys_need_not_even_be_there(lake: Any, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """The keys of batch 3 lie in the file of batch 2; that of batch 1 is taken away while it is merged."""
    monkeypatch.setattr(touched_rows, "MANY_FILES", 0)
    monkeypatch.setattr(touched_rows, "MANY_ROWS", 0)
    spec = lake.spec(mode, sequence_by="u").model_copy(update={"key": ("a", "n")})
    silver = lake.name(Layer.SILVER)
    lake.refine(spec, lake.bronze(1, COLUMNS, [event((f"far {n}", 100 + n), "x", 1) for n in range(3)]))
    first = lake.spark.sql(f"SELECT file_path FROM {silver.iceberg}.data_files").collect()
    lake.refine(spec, lake.bronze(2, COLUMNS, [event(key, "old", 2) for key in KEYS]))
    away = [Path(row.file_path.removeprefix("file:")) for row in first]
    for path in away:
        path.rename(path.with_suffix(".away"))

    events = [event(key, "new", 3) for key in KEYS[:3]] + [event(("new", 3), "new", 3)]
    result = lake.refine(spec, lake.bronze(3, COLUMNS, events))

    for path in away:
        path.with_suffix(".away").rename(path)
    assert result.status == "staged", result.error
    current = "NOT _hw_deleted" if mode == "upsert" else "is_current"
    found = {(row.a, row.n): row.v for row in lake.rows(silver, current)}
    expected = {(f"far {n}", 100 + n): "x" for n in range(3)}
    expected |= {(key[0].replace("''", "'"), key[1]): "new" if key in KEYS[:3] else "old" for key in KEYS}
    assert found == expected | {("new", 3): "new"}
