"""Windows over a cursor are half-open from below, in a form that an index can answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.adapters.sources.mysql.carrying import SourceColumn
from headwater.adapters.sources.mysql.cursors import Cursor
from headwater.domain.errors import SpecError
from headwater.domain.spec import Silver, SqlExtract, TableSpec


def cursor(kind: str, full: str | None = None) -> Cursor:
    return Cursor(SourceColumn("at", kind, full or kind))


def test_a_window_of_numbers() -> None:
    assert cursor("int").inside("5", "9") == "t.`at` <= 9 AND t.`at` > 5"
    assert cursor("int").inside(None, "9") == "t.`at` <= 9"
    assert cursor("int").inside("5", None) == "FALSE"


def test_a_window_of_times_never_begins_before_the_calendar() -> None:
    assert cursor("datetime").inside(None, "2013-01-01 00:00:00") == (
        "t.`at` <= '2013-01-01 00:00:00' AND t.`at` >= '0001-01-01'"
    )


def test_a_zero_timestamp_is_told_by_a_bound_that_a_timestamp_can_have() -> None:
    """MySQL takes ``< '0001-01-01'`` for never true of a timestamp, and its zero one would be neither read nor told."""
    moved = cursor("timestamp", "timestamp(6)")
    assert moved.is_null() == "(t.`at` IS NULL OR t.`at` < '1970-01-01 00:00:01')"
    assert moved.inside_calendar() == "t.`at` >= '1970-01-01 00:00:01'"
    assert cursor("datetime").is_null() == "(t.`at` IS NULL OR t.`at` < '0001-01-01')"


def test_a_text_that_is_no_number_never_reaches_the_source() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        cursor("int").inside("1 OR 1=1", "2")
    assert cursor("date").value("2013' OR '1") == "'2013'' OR ''1'"


@given(st.datetimes(min_value=datetime(1000, 1, 1), max_value=datetime(9000, 1, 1)), st.timedeltas(
    min_value=timedelta(0), max_value=timedelta(days=30)))  # fmt: skip
def test_the_lag_is_taken_from_the_watermark_to_the_microsecond(moment: datetime, lag: timedelta) -> None:
    text = str(moment)
    assert cursor("datetime", "datetime(6)").order(cursor("datetime").below(text, lag)) == moment - lag


def test_of_days_only_whole_ones_are_bounds() -> None:
    days = cursor("date")
    assert days.below("2013-01-03", timedelta(hours=2)) == "2013-01-02"
    assert days.shown(datetime(2013, 1, 3, 5, tzinfo=UTC)) == "2013-01-03"


def test_wide_numbers_are_compared_as_numbers() -> None:
    unsigned = cursor("bigint", "bigint unsigned")
    assert unsigned.order("18446744073709551615") > unsigned.order("9")  # type: ignore[operator]  # one cursor, one type


@pytest.mark.parametrize("kind", ["text", "time", "double", "decimal(10,2)", "bit(3)"])
def test_a_type_without_order_is_refused(kind: str) -> None:
    extract = SqlExtract(mode="incremental", cursor="at")
    table = TableSpec(name="t", key=("id",), extract=extract, silver=Silver(mode="upsert"))
    column = SourceColumn("at", kind.partition("(")[0], kind)
    if kind == "bit(3)":
        # a number as good as any
        assert Cursor.of(table, extract, [column]).column.type == "long"
        return
    with pytest.raises(SpecError, match="a cursor column that grows"):
        Cursor.of(table, extract, [column])
