from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from headwater.cli.demo import landing, source_database, story


def _one(connection: psycopg.Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_source_begins_with_january_and_moves_on_by_a_month(postgres_database: Callable[..., str]) -> None:
    chapter = story.Chapter()
    with psycopg.connect(postgres_database(driver=None), autocommit=True) as connection:
        assert not source_database.is_loaded(connection)
        loaded = source_database.load_first_month(connection)
        assert loaded == {"airlines": 16, "airports": 1458, "planes": 3322, "flights": 27_004}
        assert source_database.is_loaded(connection)
        newest = _one(connection, "SELECT max(updated_at) FROM flights")
        assert newest < chapter.clock
        chapter = chapter.next
        assert source_database.add_months(connection, range(2, 3)) == 24_951
        assert _one(connection, "SELECT min(updated_at) FROM flights WHERE month = 2") > newest + timedelta(hours=2)
        touched = source_database.change(connection, story.late_changes(chapter))
        assert touched == {"flights corrected late": 40, "planes re-registered": 1, "airports withdrawn": 1}
        assert _one(connection, "SELECT max(updated_at) FROM flights") < chapter.clock


def test_a_month_after_a_broken_batch_is_written_above_what_was_read(postgres_database: Callable[..., str]) -> None:
    """The batch came a day into the month; flights of that day would lie below the watermark, and be missed."""
    with psycopg.connect(postgres_database(driver=None), autocommit=True) as connection:
        source_database.load_first_month(connection)
        broken = story.Chapter().next_day
        source_database.change(connection, story.broken_batch(broken))
        assert source_database.add_months(connection, range(2, 3), broken.clock) == 24_951
        newest = _one(connection, "SELECT max(updated_at) FROM flights WHERE month = 1")
        assert _one(connection, "SELECT min(updated_at) FROM flights WHERE month = 2") > newest


def test_break_can_be_fed_again_and_keeps_every_key_new(postgres_database: Callable[..., str]) -> None:
    with psycopg.connect(postgres_database(driver=None), autocommit=True) as connection:
        source_database.load_first_month(connection)
        chapter = story.Chapter()
        for _ in range(2):
            chapter = chapter.next_day
            assert source_database.change(connection, story.broken_batch(chapter)) == {
                "flights with a negative distance": 25
            }
        assert _one(connection, "SELECT count(*) FROM flights WHERE distance < 0") == 50


def test_weather_lands_by_day_and_only_once(tmp_path: Path) -> None:
    assert landing.land_months(tmp_path, range(1, 2)) == (31, 2226)
    assert landing.land_months(tmp_path, range(1, 2)) == (0, 0)
    assert len(list(tmp_path.glob("*.csv"))) == 31
    first = (tmp_path / "observations-2013-01-01.csv").read_text().splitlines()
    assert first[0].startswith("origin,year,month,day,hour,temp")


def test_the_reader_reads_everything_and_changes_nothing(postgres_database: Callable[..., str]) -> None:
    url = postgres_database(driver=None)
    with psycopg.connect(url, autocommit=True) as owner:
        source_database.admit_reader(owner)
        password = source_database.admit_reader(owner)
        owner.execute("CREATE TABLE later (n int)")
        with psycopg.connect(url, user=source_database.READER, password=password, autocommit=True) as reader:
            assert _one(reader, "SELECT count(*) FROM later") == 0
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute("INSERT INTO later VALUES (1)")
        owner.execute("DROP OWNED BY flights_reader")
        owner.execute("DROP ROLE flights_reader")
