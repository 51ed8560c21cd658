"""The parts of a connection to PostgreSQL."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from headwater.adapters.sources.checking.probe import SECONDS, Probe, bad, good, network
from headwater.adapters.sources.postgres.relations import probe, relation_of
from headwater.adapters.sources.postgres.session import conninfo
from headwater.adapters.sources.refusing import redact
from headwater.domain.spec import TableSpec
from headwater.ports.connections import ConnectionInfo

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_TLS_MODES = ("require", "verify-ca", "verify-full")


def check_postgres(connection: ConnectionInfo, tables: Sequence[TableSpec]) -> Iterator[Probe]:
    """DNS, TCP, TLS, login, database, then the right to read each table."""
    port = connection.port or 5432
    if not connection.host.startswith("/"):
        yield from network(connection.host or "localhost", port)
        yield _tls(connection, connection.host or "localhost", port)
    try:
        session = psycopg.connect(conninfo(connection), autocommit=True)
    except psycopg.OperationalError as error:
        failure = _refused(connection, redact(str(error), connection))
    else:
        with session:
            yield good("login", f"{connection.login} is let in")
            yield good("database", f"{connection.schema_}, PostgreSQL {session.info.server_version // 10_000}")
            for table in tables:
                yield _readable(session, connection, table)
        return
    yield failure


def _tls(connection: ConnectionInfo, host: str, port: int) -> Probe:
    """Whether the server offers TLS, as its protocol asks for it; certificates are looked at by the login."""
    mode = str(connection.extra.get("sslmode", "prefer"))
    with socket.create_connection((host, port), SECONDS) as plain:
        plain.settimeout(SECONDS)
        plain.sendall(_SSL_REQUEST)
        answer = plain.recv(1)
    if answer == b"S":
        return good("TLS", f"offered; sslmode {mode}")
    if answer != b"N":
        return bad("TLS", "the port does not speak PostgreSQL's protocol", "Correct host and port of the connection.")
    if mode in _TLS_MODES:
        fix = "Turn `ssl` on at the server, or set `sslmode` to prefer where the network may be trusted."
        return bad("TLS", f"not offered, but sslmode is {mode}", fix)
    return good("TLS", f"not offered, and not asked for: sslmode {mode}")


def _refused(connection: ConnectionInfo, reason: str) -> Probe:
    line = next((line for line in reason.splitlines() if "FATAL" in line or "error" in line.lower()), reason)[:300]
    if re.search("certificate|SSL error|sslrootcert", reason):
        return bad("TLS", line, "Set `sslrootcert` to the authority of the server's certificate, or correct the host.")
    if re.search(r'database ".*" does not exist', reason):
        return bad("database", line, "Correct the database (`schema`) of the connection, or create it at the server.")
    if "permission denied for database" in reason:
        grant = f'GRANT CONNECT ON DATABASE "{connection.schema_}" TO "{connection.login}"'
        return bad("database", line, f"Run `{grant}` at the source.")
    if "no pg_hba.conf entry" in reason:
        return bad("login", line, "Add a line for this login, database and machine to the server's pg_hba.conf.")
    if re.search("authentication failed|no password supplied|role ", reason):
        return bad("login", line, f"Set the right login and password on connection {connection.id!r}.")
    return bad("server", line, "Look at the server's log: it was reached and did not open a session.")


def _readable(session: psycopg.Connection[Any], connection: ConnectionInfo, table: TableSpec) -> Probe:
    schema, name = relation_of(table)
    part = f"grant {schema}.{name}"
    try:
        session.execute(probe(table))
    except psycopg.errors.InsufficientPrivilege as error:
        usage = f'GRANT USAGE ON SCHEMA "{schema}" TO "{connection.login}"'
        grant = f'GRANT SELECT ON "{schema}"."{name}" TO "{connection.login}"'
        if "row-level security" in str(error):
            bypass = f'ALTER ROLE "{connection.login}" BYPASSRLS'
            fix = f"Run `{bypass}` at the source, or say `row_security: on` in the extra to read its part alone."
            return bad(part, str(error).splitlines()[0], fix)
        return bad(part, str(error).splitlines()[0], f"Run `{usage}; {grant}` at the source.")
    except psycopg.errors.UndefinedTable as error:
        fix = f"Correct `relation` of table {table.name!r} in the YAML, or restore it at the source."
        return bad(part, str(error).splitlines()[0], fix)
    return good(part, "may be read")
