"""The server's refusals as failures that say what to do, by the numbers of its errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from headwater.domain.errors import (
    CredentialsError,
    HeadwaterError,
    NotPermittedError,
    SchemaDriftError,
    SourceDataError,
    SourceTableMissingError,
    SourceUnreachableError,
)
from headwater.domain.extract_errors import RowsHiddenError
from headwater.ports.connections import ConnectionInfo


@dataclass(frozen=True, slots=True)
class Codes:
    """What the numbers of a make of database mean; a number in none of the sets is an interruption."""

    not_permitted: frozenset[int | str]
    missing: frozenset[int | str]
    column_gone: frozenset[int | str]
    data: frozenset[int | str]
    login: frozenset[int | str] = frozenset()
    database: frozenset[int | str] = frozenset()
    too_slow: frozenset[int | str] = frozenset()
    locked: frozenset[int | str] = frozenset()
    too_old: frozenset[int | str] = frozenset()
    not_filled: frozenset[int | str] = frozenset()
    hiding: str | None = None
    """Words of a refusal that is no lack of a right: rules of the database would hide rows from this login."""


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


def refusal(codes: Codes, code: int | str, reason: str, connection: ConnectionInfo) -> HeadwaterError:
    """Why no session was opened, by the number of the server's error."""
    refused = code in codes.login or code in codes.not_permitted
    return login_refused(connection, reason) if refused else unreachable(connection, reason)


def login_refused(connection: ConnectionInfo, reason: str) -> CredentialsError:
    facts = facts_of(connection)
    return CredentialsError(
        f"the database at {facts['host']} refused login {connection.login!r} of connection {connection.id!r}",
        got=reason,
        remedy=f"Set the right login and password on connection {connection.id!r}, then clear the task.",
        facts=facts,
    )


def unreachable(connection: ConnectionInfo, reason: str) -> SourceUnreachableError:
    facts = facts_of(connection)
    return SourceUnreachableError(
        f"the database of connection {connection.id!r} at {facts['host']} could not be reached",
        got=reason,
        remedy="Check that the server runs and that host, port and database of the connection are right.",
        facts=facts,
    )


@contextmanager
def explaining(
    codes: Codes,
    errors: type[Exception],
    told: Callable[[Exception, ConnectionInfo], tuple[int | str, str]],
    connection: ConnectionInfo,
    facts: Mapping[str, str],
) -> Iterator[None]:
    """Turn the driver's errors about one relation into explained ones, without the password and without a chain.

    :param errors: the class of all the driver raises. :param told: the number and the words of one of them.
    :param facts: ``relation``, and what else an alert may say.
    """
    try:
        yield
    except errors as error:
        failure = explain(codes, *told(error, connection), connection, facts)
    else:
        return
    raise failure


def explain(
    codes: Codes, code: int | str, got: str, connection: ConnectionInfo, facts: Mapping[str, str]
) -> HeadwaterError:
    """A failure while a relation was asked about or read."""
    relation, told = facts["relation"], {**facts_of(connection), **facts}
    if code in codes.not_filled:
        return SourceDataError(
            f"{relation} cannot be read yet",
            got=got,
            remedy="Fill it (`REFRESH MATERIALIZED VIEW`, where it is one), then clear the task.",
            facts=told,
        )
    if code in codes.not_permitted:
        return _not_permitted(codes, got, connection, told)
    if code in codes.missing:
        return SourceTableMissingError(f"{relation} does not exist at the source any more", got=got, facts=told)
    if code in codes.column_gone:
        return SchemaDriftError(f"a column of {relation} vanished while it was read", got=got, facts=told)
    if code in codes.data:
        return SourceDataError(f"a value of {relation} cannot be computed by the database", got=got, facts=told)
    return SourceUnreachableError(
        f"reading {relation} was interrupted by the database", got=got, remedy=_remedy(codes, code), facts=told
    )


def _not_permitted(codes: Codes, got: str, connection: ConnectionInfo, facts: dict[str, str]) -> NotPermittedError:
    if codes.hiding is not None and codes.hiding in got:
        return RowsHiddenError(
            f"login {connection.login!r} may read only some rows of {facts['relation']}",
            got=got,
            allowed="a login that sees every row, or `row_security: on` in the extra of the connection",
            remedy=f'Run `ALTER ROLE "{connection.login}" BYPASSRLS` at the source, or read by a login that sees all '
            "rows. Say `row_security: on` only where the part it sees is what is wanted.",
            facts=facts,
        )
    return NotPermittedError(
        f"login {connection.login!r} may not read {facts['relation']}",
        got=got,
        remedy="Let the owner of the source grant the right to read it, then run again.",
        facts=facts,
    )


def _remedy(codes: Codes, code: int | str) -> str:
    if code in codes.too_slow:
        return "Raise `statement_timeout` in the extra of the connection, or read less at once."
    if code in codes.locked:
        return "Try again when whoever holds the relation locked is done."
    if code in codes.too_old:
        return "Let the source keep its undo longer than the read takes, read less at once, or at a quieter hour."
    return "The run reads the same window again when it is retried."


def check_time(started: float, limit_seconds: int) -> None:
    """The driver's own limit is for an answer of the server; this one is for all of a statement's rows.

    :raises SourceUnreachableError: when it has passed.
    """
    seconds = time.monotonic() - started
    if seconds >= limit_seconds:
        raise SourceUnreachableError(
            "reading took longer than the statement time-out",
            got=f"{seconds:,.0f} s",
            allowed=f"{limit_seconds:,} s",
            remedy="Raise `statement_timeout` in the extra of the connection, or read less at once.",
        )
