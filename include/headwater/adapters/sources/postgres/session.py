"""Connecting to PostgreSQL, and turning its refusals into failures that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from headwater.domain.errors import (
    CredentialsError,
    HeadwaterError,
    NotPermittedError,
    SchemaDriftError,
    SourceDataError,
    SourceTableMissingError,
    SourceUnreachableError,
    SpecError,
)
from headwater.ports.connections import ConnectionInfo

LIBPQ_EXTRAS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "target_session_attrs")
CONNECT_TIMEOUT_SECONDS = 10
_SESSION = "-c DateStyle=ISO -c default_transaction_read_only=on -c synchronize_seqscans=off -c extra_float_digits=1"
_REFUSALS = ("authentication failed", "role ", "no pg_hba.conf entry", "no password supplied", "permission denied")


def conninfo(connection: ConnectionInfo, time_zone: str | None = None) -> str:
    """The libpq connection string; it holds the password, so it goes to libpq and nowhere else.

    Sequential scans are not synchronised, so that a retry sees the rows of an unchanged table in the same order.

    :raises SpecError: for an extra that is not one of ``LIBPQ_EXTRAS``.
    """
    unknown = sorted(set(connection.extra) - set(LIBPQ_EXTRAS))
    if unknown:
        raise SpecError(
            f"connection {connection.id!r} has an extra that is not understood",
            got=", ".join(unknown),
            allowed=", ".join(LIBPQ_EXTRAS),
            facts={"connection": connection.id},
        )
    options = _SESSION if time_zone is None else f"{_SESSION} -c TimeZone={time_zone}"
    values = {"connect_timeout": str(CONNECT_TIMEOUT_SECONDS)}
    values |= {name: str(value) for name, value in connection.extra.items()}
    values |= {"host": connection.host, "port": str(connection.port or ""), "user": connection.login}
    values |= {"password": connection.password.get_secret_value(), "dbname": connection.schema_}
    values |= {"application_name": "headwater", "client_encoding": "UTF8", "options": options}
    return psycopg.conninfo.make_conninfo(**{key: value for key, value in values.items() if value})


def connect(connection: ConnectionInfo) -> psycopg.Connection[tuple[Any, ...]]:
    """A read-only session in the server's own time zone.

    :raises CredentialsError: when the server refuses the login.
    :raises SourceUnreachableError: when it cannot be reached.
    """
    try:
        return psycopg.connect(conninfo(connection), autocommit=True)
    except psycopg.OperationalError as error:
        reason = redact(str(error), connection)
    # outside the except block: the driver's error, which may quote the connection string, does not travel along
    raise _refusal(connection, reason)


@contextmanager
def explained(connection: ConnectionInfo, table: str, relation: str) -> Iterator[None]:
    """Turn the driver's errors about one relation into explained ones, without the password and without a chain."""
    try:
        yield
    except psycopg.Error as error:
        failure = _explain(error, connection, {"table": table, "relation": relation, **facts_of(connection)})
    else:
        return
    raise failure


def redact(text: str, connection: ConnectionInfo) -> str:
    """``text`` without the password."""
    password = connection.password.get_secret_value()
    return text.replace(password, "***").strip() if password else text.strip()


def facts_of(connection: ConnectionInfo) -> dict[str, str]:
    """What an alert may say of a connection."""
    place = connection.host if connection.port is None else f"{connection.host}:{connection.port}"
    return {
        "connection": connection.id,
        "login": connection.login,
        "host": place,
        "database": connection.schema_,
    }


def identifier(relation: tuple[str, str]) -> sql.Identifier:
    """Schema and table, quoted."""
    return sql.Identifier(*relation)


def _refusal(connection: ConnectionInfo, reason: str) -> HeadwaterError:
    facts = facts_of(connection)
    first = reason.splitlines()[0] if reason else "no answer"
    if "FATAL" in reason and any(words in reason for words in _REFUSALS):
        return CredentialsError(
            f"the database at {facts['host']} refused login {connection.login!r} of connection {connection.id!r}",
            got=first,
            remedy=f"Set the right login and password on connection {connection.id!r}, then clear the task.",
            facts=facts,
        )
    return SourceUnreachableError(
        f"the database of connection {connection.id!r} at {facts['host']} could not be reached",
        got=first,
        remedy="Check that the server runs and that host, port and database of the connection are right.",
        facts=facts,
    )


def _explain(error: psycopg.Error, connection: ConnectionInfo, facts: dict[str, str]) -> HeadwaterError:
    relation, got = facts["relation"], redact(str(error), connection).splitlines()[0]
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return NotPermittedError(
            f"login {connection.login!r} may not read {relation}",
            got=got,
            remedy="Let the owner of the source grant the right to read it, then run again.",
            facts={**facts, "schema": relation.partition(".")[0]},
        )
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.InvalidSchemaName):
        return SourceTableMissingError(f"{relation} does not exist at the source any more", got=got, facts=facts)
    if isinstance(error, psycopg.errors.UndefinedColumn):
        return SchemaDriftError(f"a column of {relation} vanished while it was read", got=got, facts=facts)
    if isinstance(error, psycopg.DataError):
        return SourceDataError(f"a value of {relation} cannot be computed by the database", got=got, facts=facts)
    return SourceUnreachableError(f"reading {relation} was interrupted by the database", got=got, facts=facts)
