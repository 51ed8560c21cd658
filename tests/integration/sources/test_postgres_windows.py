"""Windows tile the cursor: every committed row is read, none is blinded, nothing new starts no work (rules 5-7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.integration.sources.sources_under_test import Source, rejects_of, rows_of, sql_table

from headwater.domain.errors import RequestError, SourceDataError, SpecError
from headwater.domain.run import RunRequest
from headwater.domain.spec import TableSpec
from headwater.ports.extractor import Extracted

TABLE = "create table flights (id int primary key, updated_at timestamptz)"
START = datetime(2013, 1, 1, tzinfo=UTC)


def ids(extracted: Extracted) -> list[int]:
    return [row[0] for row in rows_of(extracted, "id")]


def incremental(**extract: Any) -> TableSpec:
    return sql_table(mode="incremental", cursor="updated_at", **extract)


@pytest.fixture
def flights(source: Source) -> Source:
    source.sql(TABLE)
    return source


def insert(source: Source, row: int, cursor: str) -> None:
    source.sql(f"insert into flights values ({row}, {cursor})")


def test_second_run_reads_only_what_is_above_the_watermark(flights: Source) -> None:
    insert(flights, 1, "'2013-01-01'")
    assert ids(flights.run(incremental())[1]) == [1]
    insert(flights, 2, "'2013-01-02'")
    assert ids(flights.run(incremental())[1]) == [2]


def test_nothing_new_is_a_window_of_nothing(flights: Source) -> None:
    insert(flights, 1, "'2013-01-01'")
    for lag in ("0s", "1h"):
        flights.states.clear()
        flights.run(incremental(lag=lag))
        window, extracted = flights.run(incremental(lag=lag))
        assert window.kind == "nothing"
        assert extracted.files == ()


def test_empty_relation_is_a_window_of_nothing(flights: Source) -> None:
    assert flights.plan(incremental()).kind == "nothing"


def test_late_commit_within_the_lag_is_read(flights: Source) -> None:
    insert(flights, 1, "'2013-01-01 12:00+00'")
    flights.run(incremental(lag="1h"))
    insert(flights, 2, "'2013-01-01 11:30+00'")
    assert 2 in ids(flights.run(incremental(lag="1h"))[1])
    assert flights.plan(incremental(lag="1h")).kind == "nothing"


def test_far_future_cursor_does_not_blind_later_runs(flights: Source) -> None:
    """Rule 6: one 9999-12-31 must not blind the next runs."""
    insert(flights, 1, "'2013-01-01'")
    insert(flights, 2, "'9999-12-31'")
    insert(flights, 3, "null")
    window, extracted = flights.run(incremental())
    assert (window.null_cursors, window.future_cursors) == (1, 1)
    assert ids(extracted) == [1]
    assert [r["_hw_rules"] for r in rejects_of(extracted)] == ["future_cursor:updated_at", "null_cursor:updated_at"]
    assert flights.plan(incremental()).kind == "nothing"
    insert(flights, 4, "'2013-01-02'")
    assert ids(flights.run(incremental())[1]) == [4]


def test_new_null_cursor_alone_reaches_quarantine(flights: Source) -> None:
    insert(flights, 1, "'2013-01-01'")
    flights.run(incremental())
    insert(flights, 2, "null")
    assert len(rejects_of(flights.run(incremental())[1])) == 1
    assert flights.plan(incremental()).kind == "nothing"


def test_bad_cursor_policy_stop_names_the_counts(flights: Source) -> None:
    insert(flights, 1, "null")
    insert(flights, 2, "'9999-12-31'")
    with pytest.raises(SourceDataError) as caught:
        flights.plan(incremental(bad_cursor="stop"))
    assert caught.value.facts["count"] == "2"
    assert caught.value.facts["column"] == "updated_at"


def test_cursor_of_the_near_future_waits(flights: Source) -> None:
    insert(flights, 1, "now() - interval '1 h'")
    insert(flights, 2, "now() + interval '1 h'")
    window, extracted = flights.run(incremental())
    assert ids(extracted) == [1]
    assert window.future_cursors == 0
    assert extracted.rejects == ()


def test_open_transaction_bounds_the_window(flights: Source) -> None:
    """Rule 6: a row stamped with the start of an open transaction is not passed over."""
    insert(flights, 1, "'2013-01-01'")
    with psycopg.connect(flights.url) as writer:
        writer.execute("insert into flights values (2, now())")
        insert(flights, 3, "clock_timestamp()")
        assert ids(flights.run(incremental())[1]) == [1]
        writer.commit()
    assert sorted(ids(flights.run(incremental())[1])) == [2, 3]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York", "UTC"])
@pytest.mark.parametrize("stamp", ["localtimestamp", "now() at time zone 'UTC'"])
def test_local_cursor_written_in_any_zone_is_read_at_once(source: Source, zone: str, stamp: str) -> None:
    database = source.info.schema_
    source.sql(f"alter database {database} set timezone = '{zone}'")
    source.sql("create table flights (id int primary key, updated_at timestamp)")
    source.sql(f"insert into flights values (1, {stamp})")
    assert ids(source.run(incremental())[1]) == [1]


def test_backfill_is_half_open_and_leaves_the_watermark(flights: Source) -> None:
    for day in range(1, 6):
        insert(flights, day, f"'2013-01-0{day} 00:00+00'")
    flights.run(incremental())
    before = flights.states["flights"].watermark
    request = RunRequest(window_from=START + timedelta(days=1), window_to=START + timedelta(days=3))
    window, extracted = flights.run(incremental(), request)
    assert ids(extracted) == [2, 3]
    assert not window.advances_watermark
    assert extracted.watermark is None
    assert flights.states["flights"].watermark == before


def test_full_refresh_reads_everything_and_leaves_the_watermark(flights: Source) -> None:
    insert(flights, 1, "'2013-01-01'")
    flights.run(incremental())
    window, extracted = flights.run(incremental(), RunRequest(full_refresh=True))
    assert ids(extracted) == [1]
    assert (window.low, window.advances_watermark) == (None, False)


def test_backfill_of_a_snapshot_is_refused(flights: Source) -> None:
    with pytest.raises(RequestError):
        flights.plan(sql_table(), RunRequest(window_from=START))


def test_numeric_cursor_knows_neither_lag_nor_time(source: Source) -> None:
    source.sql("create table flights (id int primary key)", "insert into flights values (1), (2)")
    table = sql_table(mode="incremental", cursor="id")
    assert ids(source.run(table)[1]) == [1, 2]
    source.sql("insert into flights values (3)")
    assert ids(source.run(table)[1]) == [3]
    with pytest.raises(RequestError):
        source.plan(table, RunRequest(window_from=START))
    with pytest.raises(SpecError):
        source.plan(sql_table(mode="incremental", cursor="id", lag="1h"))


def test_snapshot_of_equal_content_in_another_order_is_unchanged(source: Source) -> None:
    """Rule 28: identical content appends nothing, whatever the physical order."""
    source.sql("create table flights (id int, n text)", "insert into flights values (1, 'a'), (2, null), (3, 'b')")
    _, first = source.run(sql_table())
    source.sql("truncate flights", "insert into flights values (3, 'b'), (1, 'a'), (2, null)")
    _, second = source.run(sql_table())
    assert (first.rows, second.files, second.digest) == (3, (), first.digest)
    source.sql("update flights set n = '' where id = 2")
    _, third = source.run(sql_table())
    assert third.rows == 3
    assert not list(source.folder.glob(f"*{second.digest}*"))


BATCHES = st.lists(st.lists(st.integers(0, 30), max_size=6), min_size=2, max_size=4)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(batches=[[5, 30], [0, 30], [], [1]])
@given(batches=BATCHES)
def test_windows_tile_every_row_within_the_lag_is_read(flights: Source, batches: list[list[int]]) -> None:
    """Whatever cursors commit in whatever order within the lag, ties included: the union of all runs is the source."""
    flights.sql("truncate flights")
    flights.states.clear()
    read: set[int] = set()
    number = 0
    for batch in batches:
        for minutes in batch:
            number += 1
            insert(flights, number, f"'2013-01-01 00:00+00'::timestamptz + interval '{minutes} min'")
        read |= set(ids(flights.run(incremental(lag="31m"))[1]))
        assert read == set(range(1, number + 1))
    assert flights.plan(incremental(lag="31m")).kind == "nothing"
