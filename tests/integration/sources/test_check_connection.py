"""A connection that fails is told by its first part that does, with what mends it; nothing shows a secret."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.integration.sources.external.job_service import TOKEN, JobService
from tests.integration.sources.external.job_service import serving as serving_jobs
from tests.integration.sources.landed_under_test import Landed
from tests.integration.sources.relations_under_test import Table
from tests.integration.sources.s3_under_test import SECRET_KEY, S3Server, serving
from tests.integration.sources.sources_under_test import Source, connection_of, sql_table

from headwater.adapters.sources.checking import Probe, check_connection
from headwater.domain.spec import TableSpec
from headwater.ports.connections import ConnectionInfo

SECRET = "wr0ng-s3cr3t"


def failing(connection: ConnectionInfo, *tables: TableSpec) -> Probe:
    """The one part that fails, after all others were fine."""
    *others, last = check_connection(connection, tables)
    assert all(probe.fine and not probe.fix for probe in others)
    assert not last.fine
    assert last.fix
    assert SECRET not in str(last)
    return last


@pytest.fixture
def closed_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and says nothing of PostgreSQL."""
    import threading

    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(8)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        def answers() -> None:
            client, _ = server.accept()
            client.close()
            answer()

        thread = threading.Thread(target=answers, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join(10)


def test_postgres_that_works(source: Source) -> None:
    source.sql("create table flights (id int primary key)")
    found = check_connection(source.info, [sql_table()])
    assert [(probe.part, probe.fine) for probe in found] == [
        ("DNS", True), ("TCP", True), ("TLS", True), ("login", True), ("database", True),
        ("grant public.flights", True),
    ]  # fmt: skip


def test_postgres_that_cannot_be_found_or_reached(source: Source, closed_port: int, silent_port: int) -> None:
    assert failing(connection_of(source.url, host="no-such-host.invalid")).part == "DNS"
    assert failing(connection_of(source.url, port=closed_port)).part == "TCP"
    assert "does not speak PostgreSQL" in failing(connection_of(source.url, port=silent_port)).found


def test_postgres_that_refuses(source: Source) -> None:
    assert failing(connection_of(source.url, extra={"sslmode": "require"})).part == "TLS"
    assert failing(connection_of(source.url, password=SecretStr(SECRET))).part == "login"
    assert failing(connection_of(source.url, login="nobody", password=SecretStr(SECRET))).part == "login"
    assert failing(connection_of(source.url, schema_="no_such_database")).part == "database"
    assert failing(connection_of(source.url, extra={"sslmod": "x"})).part == "connection"


def test_postgres_that_lacks_a_grant_or_a_relation(source: Source) -> None:
    reader = f"reader_{source.info.schema_}"
    source.sql(f"drop role if exists {reader}", f"create role {reader} login password '{SECRET}'")
    source.sql("create table flights (id int)", "create table open (id int)", f"grant select on open to {reader}")
    connection = connection_of(source.url, login=reader, password=SecretStr(SECRET))
    found = check_connection(connection, [sql_table("flights"), sql_table("open"), sql_table("gone")])
    assert [probe.fine for probe in found[-3:]] == [False, True, False]
    assert f'GRANT SELECT ON "public"."flights" TO "{reader}"' in found[-3].fix
    assert "Correct `relation`" in found[-1].fix


def test_postgres_that_would_hide_rows(source: Source) -> None:
    reader = f"hidden_{source.info.schema_}"
    source.sql("create table flights (id int)", "alter table flights enable row level security")
    source.sql(f"drop role if exists {reader}", f"create role {reader} login password '{SECRET}'")
    source.sql(f"grant select on flights to {reader}")
    connection = connection_of(source.url, login=reader, password=SecretStr(SECRET))
    found = check_connection(connection, [sql_table("flights")])[-1]
    assert not found.fine
    assert f'ALTER ROLE "{reader}" BYPASSRLS' in found.fix
    bearing = connection.model_copy(update={"extra": {"row_security": "on"}})
    assert check_connection(bearing, [sql_table("flights")])[-1].fine


def test_folders(tmp_path: Path) -> None:
    landed = Landed(tmp_path)
    landed.add([1])
    assert [probe.part for probe in check_connection(landed.connection, [landed.table])] == [
        "folder",
        "files of flights",
    ]
    assert failing(landed.connection.model_copy(update={"extra": {"path": "/no/such"}})).part == "folder"
    assert failing(landed.connection.model_copy(update={"extra": {"path": "here"}})).part == "connection"
    landed.remove()
    missing = landed.table.model_copy(update={"extract": landed.table.extract.model_copy(update={"path": "x/*.csv"})})
    assert failing(landed.connection, missing).part == "files of flights"
    assert failing(landed.connection.model_copy(update={"kind": "pigeon"})).part == "type"


def test_buckets(s3_server: S3Server, closed_port: int) -> None:
    def over(path: str, **extra: Any) -> ConnectionInfo:
        connection = s3_server.connection(path)
        return connection.model_copy(update={"extra": connection.extra | extra})

    good = s3_server.connection(f"s3://{s3_server.make_bucket()}/landing")
    assert [probe.part for probe in check_connection(good, [])] == ["DNS", "TCP", "login", "grant"]
    assert failing(over("s3://no-such-bucket/x")).part == "bucket"
    assert failing(over("s3://b/x", endpoint_url=f"http://127.0.0.1:{closed_port}")).part == "TCP"
    assert failing(over("s3://b/x", endpoint_url="http://no-such-host.invalid")).part == "DNS"
    assert failing(over("s3://b/x", endpoint_url=f"https://127.0.0.1:{s3_server.port}")).part == "TLS"


def test_a_bucket_that_refuses_the_key() -> None:
    with serving(INITIAL_NO_AUTH_ACTION_COUNT="0") as server:
        found = failing(server.connection("s3://anything/x"))
    assert found.part in ("login", "grant")
    assert SECRET_KEY not in str(found)


def test_sqlite(tmp_path: Path) -> None:
    table = Table(tmp_path)
    parts = [probe.part for probe in check_connection(table.connection, [table.table])]
    assert parts == ["file", "permission", "database", "relation flights"]
    assert failing(table.connection.model_copy(update={"host": "/no/such.db"})).part == "file"
    table.remove()
    assert failing(table.connection, table.table).part == "relation"
    table.path.write_bytes(b"x" * 4096)
    assert failing(table.connection).part == "database"


@pytest.fixture
def service() -> Iterator[JobService]:
    with serving_jobs() as running:
        yield running


def _factory(service: JobService, **changes: Any) -> ConnectionInfo:
    address = f"http://127.0.0.1:{service.port}"
    extra = {
        "tenantId": "t", "subscription_id": "s", "resource_group_name": "g", "factory_name": "f",
        "management_url": address, "authority_url": address,
    }  # fmt: skip
    values = {"id": "f", "kind": "azure_data_factory", "login": "c", "password": SecretStr(SECRET), "extra": extra}
    return ConnectionInfo.model_validate(values | changes)


def test_a_service_that_runs_jobs_is_looked_at_without_starting_one(service: JobService, closed_port: int) -> None:
    host = f"http://127.0.0.1:{service.port}"
    fine = ConnectionInfo(id="jobs", kind="http", host=host, password=SecretStr(TOKEN))
    assert [probe.part for probe in check_connection(fine, []) if probe.fine] == ["DNS", "TCP", "login"]
    assert failing(fine.model_copy(update={"password": SecretStr(SECRET)})).part == "login"
    assert failing(fine.model_copy(update={"host": f"http://127.0.0.1:{closed_port}"})).part == "TCP"
    assert failing(fine.model_copy(update={"host": "https://no.such.host.invalid"})).part == "DNS"
    service.refuse = {"/": (403, {})}
    assert failing(fine).part == "grant"
    assert service.started == []


def test_a_data_factory_is_looked_at_without_starting_a_pipeline(service: JobService) -> None:
    assert failing(_factory(service)).part == "service"  # this server has no factory of its own to show
    service.refuse = {"/token": (401, {})}
    assert failing(_factory(service)).part == "login"
    assert service.started == []
