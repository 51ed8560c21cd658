"""Which part of a connection fails, as far as it shows without a server; sockets are real."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.unit.adapters.sources.queried.recorded import (
    ORACLE,
    SQLSERVER,
    RecordedOracle,
    RecordedSession,
    RecordedSqlServer,
    table,
)

from headwater.adapters.sources.checking import check_connection
from headwater.adapters.sources.checking.queried import Make, check_session
from headwater.adapters.sources.checking.sqlserver import encryption_of, prelogin
from headwater.adapters.sources.oracle.session import CODES as ORACLE_CODES
from headwater.adapters.sources.sqlserver.session import CODES as SQLSERVER_CODES
from headwater.ports.connections import ConnectionInfo


class RefusedError(Exception):
    """What a driver raises: a code and words."""


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A server that says the same to everybody, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    met, _ = server.accept()
                except OSError:
                    return
                with met:
                    met.settimeout(5)
                    if met.recv(4096):
                        met.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def tds(encryption: int) -> bytes:
    payload = struct.pack(">BHHBHHB", 0, 11, 6, 1, 17, 1, 0xFF) + bytes(6) + bytes([encryption])
    return struct.pack(">BBHHBB", 4, 1, 8 + len(payload), 0, 0, 0) + payload


def at(connection: ConnectionInfo, port: int, **extra: object) -> ConnectionInfo:
    return connection.model_copy(update={"host": "127.0.0.1", "port": port, "extra": {**connection.extra, **extra}})


@pytest.mark.parametrize(
    ("encryption", "asked", "fine"),
    [(1, "require", True), (3, "require", True), (2, "require", False), (2, "off", True), (3, "off", False)],
)
def test_sqlserver_tells_whether_it_speaks_tls(encryption: int, asked: str, fine: bool) -> None:
    with answering(tds(encryption)) as port:
        found = check_connection(at(SQLSERVER, port, encryption=asked, connect_timeout=2), ())
    assert [probe.part for probe in found[:3]] == ["DNS", "TCP", "TLS"]
    assert found[2].fine is fine


def test_a_port_of_something_else_is_told() -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        found = check_connection(at(SQLSERVER, port), ())
    assert (found[-1].part, found[-1].fine) == ("TLS", False)
    assert "SQL Server's protocol" in found[-1].found


@pytest.mark.parametrize("connection", [SQLSERVER, ORACLE], ids=["SQL Server", "Oracle"])
def test_a_port_that_nobody_listens_on_is_told(connection: ConnectionInfo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert [probe.part for probe in check_connection(at(connection, port), ()) if not probe.fine] == ["TCP"]


def test_the_first_packet_is_one_that_can_be_read_back() -> None:
    assert encryption_of(b"\x04" + prelogin()[1:]) == 1
    assert encryption_of(b"") is None


def probes(opened: Any, database: Any, codes: Any, *tables: Any) -> list[tuple[str, bool, str]]:
    make = Make(codes, "GRANT … TO {}", opened, lambda error: error.args, (RefusedError,))
    return [(probe.part, probe.fine, probe.fix) for probe in check_session(make, database, tables)]


@pytest.mark.parametrize(
    ("code", "words", "part"),
    [
        (18456, "Login failed for user", "login"),
        (18456, 'Cannot open database "erp" requested by the login', "database"),
        (4060, "Cannot open database", "database"),
        (20009, "Unable to connect", "server"),
    ],
)
def test_sqlserver_sessions_are_refused_for_one_reason(code: int, words: str, part: str) -> None:
    def opened() -> Any:
        raise RefusedError(code, words)

    assert [found[:2] for found in probes(opened, RecordedSqlServer(SQLSERVER), SQLSERVER_CODES)] == [(part, False)]


@pytest.mark.parametrize(
    ("code", "part"),
    [("ORA-01017", "login"), ("ORA-12514", "database"), ("DPY-6001", "database"), ("ORA-01045", "login"),
     ("ORA-01033", "server")],
)  # fmt: skip
def test_oracle_sessions_are_refused_for_one_reason(code: str, part: str) -> None:
    def opened() -> Any:
        raise RefusedError(code, code)

    assert [found[:2] for found in probes(opened, RecordedOracle(ORACLE), ORACLE_CODES)] == [(part, False)]


class Refusing(RecordedSession):
    """A session that may read nothing."""

    def all(self, query: str) -> list[tuple[Any, ...]]:
        raise RefusedError(*self.answers["refused"][0])


@pytest.mark.parametrize(
    ("code", "words"), [(229, "GRANT SELECT ON [dbo].[orders] TO [headwater]"), (208, "Correct `relation`")]
)
def test_a_relation_that_may_not_be_read_has_its_fix(code: int, words: str) -> None:
    session = Refusing({"refused": [(code, "refused")]})
    [*_, (part, fine, fix)] = probes(lambda: session, RecordedSqlServer(SQLSERVER), SQLSERVER_CODES, table())
    assert (part, fine) == ("grant dbo.orders", False)
    assert words in fix


def test_hidden_transactions_are_no_failure() -> None:
    session = RecordedSession({"HAS_PERMS_BY_NAME": [(0,)]})
    incremental = table(mode="incremental", cursor="at")
    found = probes(lambda: session, RecordedSqlServer(SQLSERVER), SQLSERVER_CODES, incremental)
    assert [part for part, *_ in found] == ["login", "database", "grant dbo.orders", "transactions"]
    assert all(fine for _, fine, _ in found)
