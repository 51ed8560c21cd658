"""What is wrong with a connection to MariaDB, its relations or rights is named, and shows no secret."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.integration.sources.mariadb_refused import SECRET, refused
from tests.integration.sources.mariadb_under_test import MariaDb, MariaTable
from tests.integration.sources.sources_under_test import sql_table
from tests.integration.sources.test_check_connection import failing

from headwater.adapters.sources.checking import check_connection
from headwater.domain.errors import (
    ConnectionMalformedError,
    CredentialsError,
    HeadwaterError,
    NotPermittedError,
    SchemaDriftError,
    SourceTableMissingError,
    SourceUnreachableError,
    SpecError,
)
from headwater.ports.connections import ConnectionInfo


@pytest.fixture
def flights(mariadb: MariaDb, tmp_path: Path) -> MariaTable:
    return MariaTable(mariadb, tmp_path)


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
        flights.sql(f"create user s{flights.database} identified by '{SECRET}' require ssl",
                    f"grant select on *.* to s{flights.database}")  # fmt: skip
        login = {"login": f"s{flights.database}", "password": SecretStr(SECRET)}
        flights.connection = flights.connection.model_copy(update=login)
    extra = {"ssl_mode": mode} | ({"ssl_ca": str(mariadb.authority)} if mode.startswith("verify") else {})
    flights.connection = flights.connection.model_copy(update={"extra": extra})
    assert flights.run().rows == 1
