"""Connecting to PostgreSQL, and turning its refusals into failures that say what to do."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import psycopg
from psycopg import sql

from headwater.adapters.sources.refusing import Codes, explaining, login_refused, redact, unreachable
from headwater.domain.errors import HeadwaterError, SpecError
from headwater.ports.connections import ConnectionInfo

LIBPQ_EXTRAS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "target_session_attrs")
ROW_SECURITY = "row_security"
"""The extra that bears policies which hide rows. Without it a read that one would change is refused by the server."""
CONNECT_TIMEOUT_SECONDS = 10
_SESSION = "-c DateStyle=ISO -c default_transaction_read_only=on -c synchronize_seqscans=off -c extra_float_digits=1"
_DATA = "22"
"""The class of errors about values: its codes go on with three more letters."""
_CODES = Codes(
    not_permitted=frozenset({"42501"}),
    missing=frozenset({"42P01", "3F000"}),
    column_gone=frozenset({"42703"}),
    data=frozenset({_DATA}),
    not_filled=frozenset({"55000"}),
    hiding="row-level security",
)
_REFUSALS = ("authentication failed", "role ", "no pg_hba.conf entry", "no password supplied", "permission denied")


def conninfo(connection: ConnectionInfo, time_zone: str | None = None) -> str:
    """The libpq connection string; it holds the password, so it goes to libpq and nowhere else.

    Sequential scans are not synchronised, so that a retry sees the rows of an unchanged table in the same order.

    :raises SpecError: for an extra that is not one of ``LIBPQ_EXTRAS`` or ``row_security``.
    """
    unknown = sorted(set(connection.extra) - {*LIBPQ_EXTRAS, ROW_SECURITY})
    if unknown:
        raise SpecError(
            f"connection {connection.id!r} has an extra that is not understood",
            got=", ".join(unknown),
            allowed=", ".join((*LIBPQ_EXTRAS, ROW_SECURITY)),
            facts={"connection": connection.id},
        )
    options = f"{_SESSION} -c row_security={_row_security(connection)}"
    options += "" if time_zone is None else f" -c TimeZone={time_zone}"
    values = {"connect_timeout": str(CONNECT_TIMEOUT_SECONDS)}
    values |= {name: str(value) for name, value in connection.extra.items() if name != ROW_SECURITY}
    values |= {"host": connection.host, "port": str(connection.port or ""), "user": connection.login}
    values |= {"password": connection.password.get_secret_value(), "dbname": connection.schema_}
    values |= {"application_name": "headwater", "client_encoding": "UTF8", "options": options}
    return psycopg.conninfo.make_conninfo(**{key: value for key, value in values.items() if value})


def _row_security(connection: ConnectionInfo) -> str:
    said = str(connection.extra.get(ROW_SECURITY, "off"))
    if said in ("on", "off"):
        return said
    raise SpecError(
        f"extra {ROW_SECURITY!r} of connection {connection.id!r} is neither on nor off",
        got=said,
        allowed="on, off",
        facts={"connection": connection.id},
    )


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


def explained(connection: ConnectionInfo, table: str, relation: str) -> AbstractContextManager[None]:
    """Turn the driver's errors about one relation into explained ones."""
    return explaining(_CODES, psycopg.Error, _told, connection, {"table": table, "relation": relation})


def identifier(relation: tuple[str, str]) -> sql.Identifier:
    """Schema and table, quoted."""
    return sql.Identifier(*relation)


def _refusal(connection: ConnectionInfo, reason: str) -> HeadwaterError:
    """Why no session was opened: libpq gives no code then."""
    first = reason.splitlines()[0] if reason else "no answer"
    if "FATAL" in reason and any(words in reason for words in _REFUSALS):
        return login_refused(connection, first)
    return unreachable(connection, first)


def _told(error: Exception, connection: ConnectionInfo) -> tuple[str, str]:
    """The SQLSTATE, of errors about values its class alone, and the first line of what was said."""
    code = _DATA if isinstance(error, psycopg.DataError) else str(getattr(error, "sqlstate", None) or "")
    return code, (redact(str(error), connection).splitlines() or ["no answer"])[0]
