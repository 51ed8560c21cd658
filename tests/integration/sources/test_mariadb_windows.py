"""Windows over MariaDB follow the cursor up to what is settled, and find what was committed late (rules 5 to 7)."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.integration.sources.mariadb_under_test import MariaDb, MariaTable
from tests.integration.sources.sources_under_test import rejects_of, rows_of, sql_table

from headwater.domain.errors import RequestError, SourceDataError, SpecError
from headwater.domain.run import RunRequest, Window
from headwater.ports.extractor import Extracted


class Moving(MariaTable):
    """A relation that is read by a cursor."""

    def __init__(self, server: MariaDb, folder: Path, declared: str, **extract: Any) -> None:
        super().__init__(server, folder, mode="incremental", cursor="moved", **extract)
        self.sql("drop table flights", f"create table flights (id int primary key, moved {declared}, key (moved))")

    def at(self, number: int, moment: str) -> None:
        self.sql("set time_zone = '+00:00'", f"insert into flights values ({number}, {moment})")


@pytest.fixture
def moving(mariadb: MariaDb, tmp_path: Path) -> Moving:
    return Moving(mariadb, tmp_path, "datetime(6) null", lag="1h")


def ids(extracted: Extracted) -> list[int]:
    return sorted(row[0] for row in rows_of(extracted, "id"))


CURSORS: Sequence[tuple[str, list[str]]] = [
    ("date", ["'2013-01-01'", "'2013-01-02'", "'2013-01-03'"]),
    ("datetime", ["'2013-01-01 01:00:00'", "'2013-01-01 01:00:01'", "'2013-01-02'"]),
    ("datetime(6)", ["'2013-01-01 01:00:00'", "'2013-01-01 01:00:00.000001'", "'2013-01-01 01:00:00.1'"]),
    ("timestamp(6)", ["'2013-01-01 01:00:00'", "'2013-01-01 01:00:00.000001'", "'2013-01-01 01:00:00.1'"]),
    ("int", ["-5", "9", "10"]),
    ("int unsigned", ["9", "10", "4294967295"]),
    ("bigint unsigned", ["9", "9223372036854775808", "18446744073709551615"]),
]


@pytest.mark.parametrize(("declared", "values"), CURSORS, ids=[kind for kind, _ in CURSORS])
def test_each_run_reads_what_lies_above_the_last(
    mariadb: MariaDb, tmp_path: Path, declared: str, values: list[str]
) -> None:
    """Ties with the watermark included in the run that sees them; later ones are late commits, which ``lag`` is for."""
    table = Moving(mariadb, tmp_path, f"{declared} null")
    table.at(1, values[0])
    table.at(2, values[0])
    assert ids(table.run()) == [1, 2]
    assert table.plan().kind == "nothing"
    table.at(3, values[1])
    assert ids(table.run()) == [3]
    table.at(4, values[2])
    assert ids(table.run()) == [4]
    assert table.plan().kind == "nothing"


def test_late_commits_are_found_within_the_lag(moving: Moving) -> None:
    moving.at(1, "'2013-01-01 12:00'")
    moving.at(2, "'2013-01-01 11:59:59.999999'")
    assert ids(moving.run()) == [1, 2]
    assert moving.plan().kind == "nothing"
    moving.at(3, "'2013-01-01 11:30'")
    assert moving.plan().note == "late commits below the watermark"
    assert ids(moving.run()) == [1, 2, 3]
    assert moving.plan().kind == "nothing"
    moving.sql("update flights set id = 4 where id = 3")
    assert ids(moving.run()) == [1, 2, 4]
    moving.at(5, "'2013-01-02 00:00'")
    assert ids(moving.run()) == [1, 2, 4, 5]


@pytest.mark.parametrize("declared", ["timestamp(6) null", "datetime(6) not null", "datetime", "date null"])
def test_unusable_cursors_blind_nobody_and_are_set_aside(mariadb: MariaDb, tmp_path: Path, declared: str) -> None:
    """Rule 6. MySQL calls the zero date of a column that may not be NULL both NULL and a value: set aside once."""
    table = Moving(mariadb, tmp_path, declared, lag="1h")
    table.at(1, "'2013-01-01 00:00'")
    table.at(2, "'0000-00-00'")
    table.at(3, "'2037-12-31 00:00'")
    nulls = 1
    if "not null" not in declared:
        table.at(4, "null")
        nulls = 2
    window = table.plan()
    assert (window.null_cursors, window.future_cursors) == (nulls, 1)
    extracted = table.run()
    assert ids(extracted) == [1]
    expected = {"2": "untypable:moved", "3": "future_cursor:moved"} | ({"4": "null_cursor:moved"} if nulls == 2 else {})
    assert {json.loads(r["_hw_key"])["id"]: r["_hw_rules"] for r in rejects_of(extracted)} == expected
    assert table.plan().kind == "nothing"
    table.at(5, "'2013-01-02 00:00'")
    assert 5 in ids(table.run())


def test_unusable_cursors_stop_by_policy(mariadb: MariaDb, tmp_path: Path) -> None:
    table = Moving(mariadb, tmp_path, "datetime null", bad_cursor="stop")
    table.at(1, "null")
    with pytest.raises(SourceDataError, match=r"1 rows of .* have no usable cursor 'moved'"):
        table.plan()


def test_unusable_cursors_are_a_share_of_the_relation_not_of_the_window(mariadb: MariaDb, tmp_path: Path) -> None:
    moving = Moving(mariadb, tmp_path, "datetime null")
    moving.sql("insert into flights select seq, '2013-01-01' from seq_1_to_2000",
               "insert into flights select seq, null from seq_3000_to_3019")  # fmt: skip
    assert moving.run().rejected == 20
    moving.at(2001, "'2013-02-01'")
    later = moving.run()
    assert (ids(later), later.rejected) == ([2001], 20)
    moving.sql("insert into flights select seq, null from seq_3020_to_3039")
    with pytest.raises(SourceDataError, match=r"40 of 2,041 rows"):
        moving.run()


def test_partial_dates_are_in_a_window_and_never_its_bound(moving: Moving) -> None:
    moving.at(1, "'2013-01-01'")
    moving.at(2, "'2013-01-00'")
    moving.at(3, "'2013-02-00'")
    window = moving.plan()
    assert str(window.high).startswith("2013-01-01")
    extracted = moving.run()
    assert ids(extracted) == [1]
    moving.at(4, "'2013-03-01'")
    # the lag reads the first of them again: quarantine keeps one of each (rule 40)
    assert [r["_hw_rules"] for r in rejects_of(moving.run())] == ["untypable:moved"] * 2


def test_nothing_is_read_beyond_the_start_of_an_open_transaction(mariadb: MariaDb, tmp_path: Path) -> None:
    """Rule 6, in whatever zone the server and the application live."""
    table = Moving(mariadb, tmp_path, "timestamp(6) null")
    table.at(1, "'2013-01-01'")
    with mariadb.session(table.database) as open_one, open_one.cursor() as writer:
        writer.execute("set time_zone = '-07:00'")
        writer.execute("begin")
        writer.execute("insert into flights values (2, current_timestamp(6))")
        table.sql("insert into flights values (3, current_timestamp(6))")
        assert ids(table.run()) == [1]
        assert table.plan().kind == "nothing"
        writer.execute("commit")
    until = time.monotonic() + 20
    while table.plan().kind == "nothing":
        assert time.monotonic() < until
        time.sleep(0.1)
    assert ids(table.run()) == [2, 3]


def test_a_login_that_may_not_see_transactions_reads_all_the_same(mariadb: MariaDb, tmp_path: Path) -> None:
    table = Moving(mariadb, tmp_path, "timestamp null")
    login = f"r{table.database}"
    password = table.connection.password.get_secret_value().replace("\\", "\\\\").replace("'", "''")
    table.sql(f"create user {login} identified by '{password}'", f"grant select on {table.database}.* to {login}")
    table.connection = table.connection.model_copy(update={"login": login})
    table.at(1, "'2013-01-01'")
    assert ids(table.run()) == [1]
    assert table.with_extractor(lambda e: e.inspect(table.table)).primary_key == ("id",)


def test_backfill_is_half_open_and_a_snapshot_has_none(moving: Moving) -> None:
    for day in range(1, 6):
        moving.at(day, f"'2013-01-0{day} 00:00'")
    start, now = datetime(2013, 1, 2, tzinfo=UTC), datetime.now(UTC)
    request = RunRequest(window_from=start, window_to=start + timedelta(days=2))
    window: Window = moving.with_extractor(lambda e: e.plan(moving.table, None, None, request, now))
    assert not window.advances_watermark
    assert ids(moving.extract(window)) == [2, 3]
    with pytest.raises(RequestError):
        moving.with_extractor(lambda e: e.plan(sql_table(), None, None, request, now))
    by_number = sql_table(mode="incremental", cursor="id")
    with pytest.raises(RequestError, match="a window of time does not apply"):
        moving.with_extractor(lambda e: e.plan(by_number, None, None, request, now))


def test_rows_that_stay_in_the_window_all_return_and_one_that_left_it_reappears(moving: Moving) -> None:
    moving.at(1, "'2013-01-01 10:00'")
    moving.at(2, "'2013-01-01 10:00'")
    window = moving.plan()
    moving.sql("update flights set moved = '2013-01-01 11:00' where id = 2")
    assert ids(moving.extract(window)) == [1]
    moving.state = None
    assert ids(moving.run()) == [1, 2]


def test_a_cursor_without_order_and_a_lag_of_numbers_are_refused(moving: Moving) -> None:
    moving.sql("alter table flights add column v text, add column t time")
    refused: list[dict[str, Any]] = [{"cursor": "v"}, {"cursor": "t"}, {"cursor": "id", "lag": "1h"}]
    for extract in refused:
        moving.table = sql_table(mode="incremental", **extract)
        with pytest.raises(SpecError):
            moving.plan()
