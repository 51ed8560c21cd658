"""A read of MariaDB sees one moment and tells how far it is; `new-source` takes what a server offers."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.integration.sources.mariadb_refused import MANY, refused
from tests.integration.sources.mariadb_under_test import LOGIN, MariaDb, MariaTable
from tests.integration.sources.sources_under_test import rows_of

from headwater.cli.scaffold import write_source
from headwater.domain.errors import (
    SourceDataError,
)
from headwater.domain.spec import Owner
from headwater.model.repository import load_repository


@pytest.fixture
def flights(mariadb: MariaDb, tmp_path: Path) -> MariaTable:
    return MariaTable(mariadb, tmp_path)


def test_a_read_sees_one_moment_of_a_table_that_changes(flights: MariaTable) -> None:
    """Sums stay what they were, whatever moves between rows while they stream."""
    flights.sql("insert into flights select seq, repeat('x', 100), 10 from seq_1_to_40000")
    stop = threading.Event()

    def move() -> None:
        with flights.server.session(flights.database) as session, session.cursor() as cursor:
            number = 1
            while not stop.is_set():
                cursor.execute("begin")
                cursor.execute(f"update flights set fare = fare - 1 where id = {number}")
                cursor.execute(f"update flights set fare = fare + 1 where id = {40_001 - number}")
                cursor.execute("commit")
                number = number % 20_000 + 1

    mover = threading.Thread(target=move)
    mover.start()
    try:
        extracted = flights.run()
    finally:
        stop.set()
        mover.join()
    assert rows_of(extracted, "id, fare")
    assert sum(fare for _, fare in rows_of(extracted, "id, fare")) == 400_000


def test_a_server_that_shows_what_is_not_committed_is_refused(flights: MariaTable) -> None:
    flights.add([1])
    flights.sql("set global transaction isolation level read uncommitted")
    try:
        assert "not committed" in refused(flights, SourceDataError, flights.run).message
    finally:
        flights.sql("set global transaction isolation level repeatable read")
    assert flights.run().rows == 1


def test_a_long_read_tells_how_far_it_is(flights: MariaTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headwater.adapters.sources.mysql.watching.EVERY_SECONDS", 0.01)
    flights.sql(MANY, "analyze table flights")
    said: list[str] = []
    window, schema = flights.plan(), flights.schema()
    flights.with_extractor(
        lambda e: e.extract(flights.table, window, flights.stamp, schema, str(flights.folder), None, said.append)
    )
    lines = [line for line in said if "rows so far" in line and "s left" in line]
    assert lines
    assert all(line.startswith("flights: ") and " MB written" in line and "%" in line for line in lines)
    assert "60,000 rows in" in said[-1]


def test_new_source_takes_what_a_server_offers(flights: MariaTable, tmp_path: Path) -> None:
    flights.sql(
        "drop table flights",
        "create table orders (id bigint unsigned primary key, updated_at timestamp) comment 'One row per order.'",
        "create table order_lines (order_id int, line int, primary key (order_id, line))",
        "create table coded (code varchar(9) not null, maybe int, unique (maybe), unique (code))",
        "create table twice (id int, `_hw_x` int)",
    )
    offered = flights.with_extractor(lambda extractor: extractor.list_relations())
    mine = [item for item in offered if item.relation.startswith(f"{flights.database}.")]
    written = write_source(tmp_path, "shop", "shop_db", Owner(team="shop", email=("shop@example.com",)), mine)
    assert any("twice is left out" in note for note in written.notes)
    found = load_repository(tmp_path)
    assert [str(error) for error in found.errors] == []
    tables = {table.name: table for table in found.sources[0].tables}
    keys = {name: table.key for name, table in tables.items()}
    assert keys == {"orders": ("id",), "order_lines": ("order_id", "line"), "coded": ("code",)}
    assert tables["orders"].description == "One row per order."
    for table in tables.values():
        flights.table = table
        assert flights.schema().columns
    assert LOGIN not in str(written)
