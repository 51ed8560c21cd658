"""What MariaDB refuses, breaks off or keeps waiting is named, and shows no secret."""

from __future__ import annotations

import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.integration.sources.mariadb_under_test import LOGIN, MariaDb, MariaTable
from tests.integration.sources.sources_under_test import rows_of, sql_table
from tests.integration.sources.test_check_connection import failing

from headwater.adapters.sources.checking import check_connection
from headwater.cli.scaffold import write_source
from headwater.domain.errors import (
    ConnectionMalformedError,
    CredentialsError,
    HeadwaterError,
    NotPermittedError,
    SchemaDriftError,
    SourceDataError,
    SourceTableMissingError,
    SourceUnreachableError,
    SpecError,
)
from headwater.domain.spec import Owner
from headwater.model.repository import load_repository
from headwater.ports.connections import ConnectionInfo

SECRET = "wr0ng-s3cr3t"
MANY = "insert into flights select seq, repeat('x', 200), 1 from seq_1_to_60000"


@pytest.fixture
def flights(mariadb: MariaDb, tmp_path: Path) -> MariaTable:
    return MariaTable(mariadb, tmp_path)


def refused(table: MariaTable, error: type[HeadwaterError], act: Callable[[], Any]) -> HeadwaterError:
    with pytest.raises(error) as caught:
        act()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + str(caught.value.facts)
    assert table.connection.password.get_secret_value() not in shown
    assert SECRET not in shown
    assert caught.value.facts["connection"] == "mariadb"
    return caught.value


def be_slow(table: MariaTable, rows: int, seconds_a_row: float) -> None:
    """Make it a view whose rows take their time."""
    table.sql(
        f"insert into flights select seq, 'x', 1 from seq_1_to_{rows}",
        "rename table flights to slow",
        f"create view flights as select id, note, fare + sleep({seconds_a_row}) as fare from slow",
    )


def test_what_is_wrong_with_a_source_is_named(flights: MariaTable) -> None:
    def inspecting(error: type[HeadwaterError], **changes: Any) -> HeadwaterError:
        connection = flights.connection.model_copy(update=changes)
        return refused(flights, error, lambda: flights.with_extractor(lambda e: e.inspect(flights.table), connection))

    inspecting(CredentialsError, password=SecretStr(SECRET))
    inspecting(CredentialsError, login="nobody")
    inspecting(SourceUnreachableError, schema_="no_such_database")
    inspecting(SourceUnreachableError, host="no-such-host.invalid")
    inspecting(SourceUnreachableError, port=1)
    inspecting(SpecError, schema_="")
    for extra in ({"charset": SECRET}, {"ssl_mode": "maybe"}, {"statement_timeout": "0"}, {"connect_timeout": "1h"}):
        inspecting(ConnectionMalformedError, extra=extra)
    flights.sql("rename table flights to flight")
    assert "flight" in str(inspecting(SourceTableMissingError).allowed)
    flights.sql("create table flights (n int)")
    assert "key column 'id'" in inspecting(SchemaDriftError).message
    flights.sql("drop table flights", "create table flights (id int, _deleted int)")
    assert "reserved name" in inspecting(SchemaDriftError).message
    flights.sql("create table Flights (id int)")
    assert flights.with_extractor(lambda e: e.inspect(sql_table("flights2", relation=f"{flights.database}.Flights")))


def test_rights_are_asked_for_by_name(flights: MariaTable) -> None:
    login, other = f"r{flights.database}", f"{flights.database}.other"
    flights.sql("create table other (id int)", f"create user {login} identified by '{SECRET}'")
    flights.sql(f"grant select on {other} to {login}", f"grant insert on {flights.database}.flights to {login}")
    connection = flights.connection.model_copy(update={"login": login, "password": SecretStr(SECRET)})
    incremental = sql_table("flights", mode="incremental", cursor="id")
    found = check_connection(connection, [incremental, sql_table("other"), sql_table("gone")])
    assert [probe.fine for probe in found[-4:]] == [False, True, False, True]
    assert f"GRANT SELECT ON `{flights.database}`.`flights` TO '{login}'@'%'" in found[-4].fix
    assert "GRANT PROCESS" in found[-1].found
    flights.connection = connection
    assert "may not read" in refused(flights, NotPermittedError, flights.run).message


def test_a_connection_is_looked_at_part_by_part(flights: MariaTable, mariadb: MariaDb) -> None:
    def over(**changes: Any) -> ConnectionInfo:
        return flights.connection.model_copy(update=changes)

    found = check_connection(flights.connection, [sql_table("flights", mode="incremental", cursor="id")])
    parts = ["DNS", "TCP", "TLS", "login", "database", f"grant {flights.database}.flights", "transactions"]
    assert [(probe.part, probe.fine) for probe in found] == [(part, True) for part in parts]
    assert failing(over(host="no-such-host.invalid")).part == "DNS"
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = int(server.getsockname()[1])
    assert failing(over(port=port)).part == "TCP"
    assert failing(over(password=SecretStr(SECRET))).part == "login"
    assert failing(over(schema_="no_such_database")).part == "database"
    assert failing(over(extra={"sslmode": "x"})).part == "connection"
    assert failing(over(extra={"ssl_mode": "verify_ca", "ssl_ca": "/no/such/file"})).part == "TLS"
    assert failing(over(extra={"ssl_mode": "verify_identity"})).part == "TLS"


@pytest.mark.parametrize("mode", ["disabled", "required", "verify_ca", "verify_identity"])
def test_both_ways_to_the_server_go_by_the_tls_that_is_asked_for(
    flights: MariaTable, mariadb: MariaDb, mode: str
) -> None:
    flights.add([1])
    if mode != "disabled":
        flights.sql(f"create or replace user s{flights.database} identified by '{SECRET}' require ssl",
                    f"grant select on *.* to s{flights.database}")  # fmt: skip
        login = {"login": f"s{flights.database}", "password": SecretStr(SECRET)}
        flights.connection = flights.connection.model_copy(update=login)
    extra = {"ssl_mode": mode} | ({"ssl_ca": str(mariadb.authority)} if mode.startswith("verify") else {})
    flights.connection = flights.connection.model_copy(update={"extra": extra})
    assert flights.run().rows == 1


def test_a_relation_locked_by_somebody_is_worth_a_retry(flights: MariaTable, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("session", "scanning"):
        monkeypatch.setattr(f"headwater.adapters.sources.mysql.{module}.LOCK_WAIT_SECONDS", 1)
    flights.add([1])
    window, schema = flights.plan(), flights.schema()
    with flights.server.session(flights.database) as holder, holder.cursor() as cursor:
        cursor.execute("lock tables flights write")
        error = refused(flights, SourceUnreachableError, lambda: flights.extract(window, schema))
        assert "locked" in str(error.remedy)
        assert error.retry_helps
    assert flights.extract(window, schema).rows == 1


def test_a_statement_that_takes_too_long_is_ended_by_the_server(flights: MariaTable) -> None:
    be_slow(flights, 200, 0.05)
    flights.connection = flights.connection.model_copy(update={"extra": {"statement_timeout": 1}})
    error = refused(flights, SourceUnreachableError, flights.run)
    assert "statement time-out" in error.message
    assert "statement_timeout" in str(error.remedy)


def test_a_value_the_source_cannot_compute_is_its_own_failure(flights: MariaTable) -> None:
    flights.add([1])
    flights.sql("rename table flights to t",
                "create view flights as select id, note, 9223372036854775807 + id as fare from t")  # fmt: skip
    error = refused(flights, SourceDataError, flights.run)
    assert "out of range" in str(error.got)


def test_a_server_that_goes_away_while_it_is_read_leaves_a_retry(flights: MariaTable) -> None:
    """A stream that ends early is never taken for all rows."""
    flights.sql(MANY)
    window, schema = flights.plan(), flights.schema()
    with passing_on(flights.server.port, 2_000_000) as port:
        direct, flights.connection = flights.connection, flights.connection.model_copy(
            update={"port": port, "extra": {"ssl_mode": "disabled"}}
        )  # fmt: skip
        error = refused(flights, SourceUnreachableError, lambda: flights.extract(window, schema))
        assert error.retry_helps
    flights.connection = direct
    assert flights.extract(window, schema).rows == 60_000


def test_a_session_killed_at_the_server_leaves_a_retry(flights: MariaTable) -> None:
    be_slow(flights, 400, 0.01)
    window, schema = flights.plan(), flights.schema()
    stop = threading.Event()

    def kill() -> None:
        with flights.server.session() as session, session.cursor() as cursor:
            while not stop.wait(0.2):
                cursor.execute("select id from information_schema.processlist where state = 'User sleep'")
                for (number,) in cursor.fetchall():
                    cursor.execute(f"kill {number}")
                    return

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        assert refused(flights, SourceUnreachableError, lambda: flights.extract(window, schema)).retry_helps
    finally:
        stop.set()
        killer.join()


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


def _answers(client: socket.socket, upstream: socket.socket, left: int) -> None:
    with client, upstream:
        while left > 0 and (content := upstream.recv(65_536)):
            client.sendall(content)
            left -= len(content)
        client.shutdown(socket.SHUT_RDWR)


def _questions(client: socket.socket, upstream: socket.socket, _: int) -> None:
    try:
        while content := client.recv(65_536):
            upstream.sendall(content)
    except OSError:
        return


@contextmanager
def passing_on(port: int, limit_bytes: int) -> Iterator[int]:
    """A port that passes on to the server, and ends each connection after so many bytes of answers."""
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            upstream = socket.create_connection(("127.0.0.1", port))
            for way in (_answers, _questions):
                threading.Thread(target=way, args=(client, upstream, limit_bytes), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield int(server.getsockname()[1])
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)
