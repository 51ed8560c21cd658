"""Rows that the source marks as gone (``extract.deleted_column``) are deletions, in any order (rule 31)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.names import Layer
from headwater.domain.spec import ColumnRule

COLUMNS = "k bigint, v string, gone boolean, u timestamp"


def row(k: int | None, v: str, gone: str, day: int) -> str:
    return f"{'NULL' if k is None else k}, '{v}', {gone}, TIMESTAMP '2026-01-{day:02d} 00:00:00Z'"


def marked(lake: Any, mode: str, **silver: Any) -> Any:
    spec = lake.spec(mode, sequence_by="u", **silver)
    return spec.model_copy(update={"extract": spec.extract.model_copy(update={"deleted_column": "gone"})})


def alive(lake: Any, where: str = "NOT _hw_deleted") -> list[tuple[int, str]]:
    return [(r.k, r.v) for r in lake.rows(lake.name(Layer.SILVER), where, "k")]


def test_a_marked_row_goes_stays_gone_for_late_events_and_comes_back_unmarked(lake: Any) -> None:
    spec = marked(lake, "upsert")
    first = [row(1, "a", "false", 1), row(2, "b", "NULL", 1), row(3, "never seen", "true", 1), row(4, "d", "false", 1)]
    lake.refine(spec, lake.bronze(1, COLUMNS, first))
    assert alive(lake) == [(1, "a"), (2, "b"), (4, "d")]
    gone = lake.refine(spec, lake.bronze(2, COLUMNS, [row(1, "a", "true", 5), row(2, "b", "true", 5)]))
    assert (gone.rows_deleted, alive(lake)) == (2, [(4, "d")])
    lake.refine(spec, lake.bronze(3, COLUMNS, [row(1, "late", "false", 4), row(2, "again", "false", 6)]))
    assert alive(lake) == [(2, "again"), (4, "d")]


def test_a_history_has_a_gap_where_the_row_was_marked(lake: Any) -> None:
    spec = marked(lake, "scd2", track=("v",))
    lake.refine(spec, lake.bronze(1, COLUMNS, [row(1, "a", "false", 1), row(1, "a", "true", 5)]))
    assert alive(lake, "is_current") == []
    lake.refine(spec, lake.bronze(2, COLUMNS, [row(1, "a", "false", 8), row(1, "b", "false", 3)]))
    rows = lake.rows(lake.name(Layer.SILVER), "batch_out IS NULL AND NOT _hw_deleted", "valid_from")
    assert [(r.v, r.valid_from.day, r.valid_to and r.valid_to.day) for r in rows] == [
        ("a", 1, 3), ("b", 3, 5), ("a", 8, None),
    ]  # fmt: skip


def test_of_a_marked_row_only_the_key_is_judged(lake: Any) -> None:
    """Rule 40: a value no reader will see keeps nobody from learning that the row is gone."""
    spec = marked(lake, "upsert").model_copy(update={"columns": {"v": ColumnRule(rename="n", type="int")}})
    lake.refine(spec, lake.bronze(1, COLUMNS, [row(1, "7", "false", 1)]))
    result = lake.refine(spec, lake.bronze(2, COLUMNS, [row(1, "x", "true", 2), row(None, "7", "true", 2)]))
    assert result.rows_deleted == 1
    assert lake.rows(lake.name(Layer.SILVER), "NOT _hw_deleted") == []
    assert [r._hw_rules for r in lake.rows(lake.name(Layer.QUARANTINE))] == ["key is missing"]


@pytest.mark.parametrize("kind", ["string", "timestamp"])
def test_a_column_that_can_mark_nothing_is_refused(lake: Any, kind: str) -> None:
    spec = marked(lake, "upsert")
    result = lake.refine(spec, lake.bronze(1, COLUMNS.replace("boolean", kind), [row(1, "a", "NULL", 1)]))
    assert (result.status, result.error_code) == ("failed", "schema_drift")
    assert "gone" in result.error_line
