"""The parts of a connection to MySQL or MariaDB."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Sequence

import pymysql

from headwater.adapters.sources.checking.probe import SECONDS, Probe, bad, good, network
from headwater.adapters.sources.mysql.mysql_sql import dotted
from headwater.adapters.sources.mysql.options import Options
from headwater.adapters.sources.mysql.relations import probe, relation_of
from headwater.adapters.sources.mysql.session import (
    CODES,
    NO_RIGHT_TO_DATABASE,
    NO_SUCH_DATABASE,
    Session,
    opened,
    told,
)
from headwater.adapters.sources.mysql.surveying import may_see_transactions
from headwater.domain.spec import SqlExtract, TableSpec
from headwater.ports.connections import ConnectionInfo

_PROTOCOL, _SPEAKS_TLS = 10, 0x0800
_TLS_REQUIRED = ("required", "verify_ca", "verify_identity")


def check_mysql(connection: ConnectionInfo, tables: Sequence[TableSpec]) -> Iterator[Probe]:
    """DNS, TCP, TLS, login, database, then the right to read each table, and to see what is still being written."""
    options = Options.of(connection)
    yield from network(options.host, options.port)
    yield _tls(options)
    try:
        session = opened(connection)
    except (pymysql.MySQLError, OSError, RuntimeError) as error:
        failure = _refused(connection, *told(error, connection))
    else:
        yield good("login", f"{connection.login} is let in")
        yield good("database", f"{connection.schema_ or 'none chosen'}, {session.version}")
        for table in tables:
            yield _readable(session, connection, table)
        if any(isinstance(table.extract, SqlExtract) and table.extract.mode == "incremental" for table in tables):
            yield _transactions(session, connection)
        session.close()
        return
    yield failure


def _tls(options: Options) -> Probe:
    """Whether the server offers TLS, as its first packet tells; certificates are looked at by the login."""
    with socket.create_connection((options.host, options.port), SECONDS) as plain:
        plain.settimeout(SECONDS)
        try:
            greeting = plain.recv(1024)
        except OSError:
            greeting = b""
    # three bytes of length and one of number; protocol; version up to a NUL; then 4 + 8 + 1 bytes before the flags
    flags_at = greeting.find(b"\0", 5) + 1 + 13
    if len(greeting) < flags_at + 2 or greeting[4] not in (_PROTOCOL, 0xFF):
        return bad("TLS", "the port does not speak MySQL's protocol", "Correct host and port of the connection.")
    if greeting[4] == 0xFF:
        return bad("server", greeting[7:].decode("utf-8", "replace")[:200], "Look at the server's log.")
    offered = bool(int.from_bytes(greeting[flags_at : flags_at + 2], "little") & _SPEAKS_TLS)
    if offered:
        return good("TLS", f"offered; ssl_mode {options.tls_mode}")
    if options.tls_mode in _TLS_REQUIRED:
        fix = "Turn TLS on at the server, or set `ssl_mode` to preferred where the network may be trusted."
        return bad("TLS", f"not offered, but ssl_mode is {options.tls_mode}", fix)
    return good("TLS", f"not offered, and not asked for: ssl_mode {options.tls_mode}")


def _refused(connection: ConnectionInfo, code: int, reason: str) -> Probe:
    if re.search(r"certificate|SSL|TLS|\.pem|No such file", reason):
        return bad("TLS", reason, "Set `ssl_ca` to the authority of the server's certificate, or correct the host.")
    if code == NO_SUCH_DATABASE:
        fix = "Correct the database (`schema`) of the connection, or create it at the server."
        return bad("database", reason, fix)
    if code == NO_RIGHT_TO_DATABASE:
        grant = f"GRANT SELECT ON `{connection.schema_}`.* TO '{connection.login}'@'…'"
        return bad("database", reason, f"Run `{grant}` at the source.")
    if code in CODES.login:
        return bad("login", reason, f"Set the right login and password on connection {connection.id!r}.")
    return bad("server", reason, "Look at the server's log: it was reached and did not open a session.")


def _readable(session: Session, connection: ConnectionInfo, table: TableSpec) -> Probe:
    relation = relation_of(table, connection)
    part = f"grant {'.'.join(relation)}"
    try:
        session.all(probe(relation))
    except pymysql.MySQLError as error:
        _, reason = told(error, connection)
        if "denied" in reason:
            user = session.one("SELECT CURRENT_USER()")
            name, _, place = str(user).rpartition("@")
            return bad(part, reason, f"Run `GRANT SELECT ON {dotted(relation)} TO '{name}'@'{place}'` at the source.")
        fix = f"Correct `relation` of table {table.name!r} in the YAML, or restore it at the source."
        return bad(part, reason, fix)
    return good(part, "may be read")


def _transactions(session: Session, connection: ConnectionInfo) -> Probe:
    """Not a failure: without the right, rows committed late are found by ``lag`` alone."""
    if may_see_transactions(session):
        return good("transactions", "open ones are seen: no window goes beyond their start")
    return good(
        "transactions",
        f"open ones are hidden, so only `lag` finds late commits; `GRANT PROCESS ON *.* TO '{connection.login}'@'…'` "
        "lets them be seen",
    )
