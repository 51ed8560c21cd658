"""The parts of a connection to SQL Server or Oracle, from the login on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from headwater.adapters.sources.checking.probe import Probe, bad, good
from headwater.adapters.sources.queried.database import Database, Session
from headwater.adapters.sources.queried.relations import relation_of
from headwater.adapters.sources.queried.statements import dotted
from headwater.adapters.sources.refusing import Codes
from headwater.domain.spec import SqlExtract, TableSpec


class Observed(Database, Protocol):
    """A database that says whether open transactions may be seen."""

    def may_see_transactions(self, session: Any) -> bool: ...


@dataclass(frozen=True, slots=True)
class Make:
    """What is particular to a make.

    :param grant_transactions: the statement that lets a login see open transactions, with ``{}`` for the login.
    :param told: code and words of an error of the driver's. :param errors: those it raises.
    """

    codes: Codes
    grant_transactions: str
    opened: Callable[[], Session]
    told: Callable[[Exception], tuple[int | str, str]]
    errors: tuple[type[Exception], ...]


def check_session(make: Make, database: Observed, tables: Sequence[TableSpec]) -> Iterator[Probe]:
    """Login, database, then the right to read each table, and to see what is still being written."""
    try:
        session = make.opened()
    except make.errors as error:
        failure = refused(make, database, *make.told(error))
    else:
        yield good("login", f"{database.connection.login} is let in")
        yield good("database", session.told)
        for table in tables:
            yield _readable(make, session, database, table)
        if any(isinstance(table.extract, SqlExtract) and table.extract.mode == "incremental" for table in tables):
            yield _transactions(make, session, database)
        session.close()
        return
    yield failure


def refused(make: Make, database: Database, code: int | str, reason: str) -> Probe:
    """Which part a refused session fails at."""
    connection = database.connection
    # the server names the database and then says that the login failed, with the number of either
    if code in make.codes.database or "Cannot open database" in reason:
        return bad("database", reason, "Correct the database of the connection, or let the login into it.")
    if code in make.codes.login:
        return bad("login", reason, f"Set the right login and password on connection {connection.id!r}.")
    if code in make.codes.not_permitted:
        return bad("login", reason, f"Let {connection.login} open sessions at the source.")
    return bad("server", reason, "Look at the server's log: it was reached and did not open a session.")


def _readable(make: Make, session: Session, database: Database, table: TableSpec) -> Probe:
    relation = relation_of(table, database)
    part = f"grant {'.'.join(relation)}"
    try:
        session.all(database.probe(relation))
    except make.errors as error:
        code, reason = make.told(error)
        if code in make.codes.not_permitted:
            grant = f"GRANT SELECT ON {dotted(database, relation)} TO {database.quoted(database.connection.login)}"
            return bad(part, reason, f"Run `{grant}` at the source.")
        if code in make.codes.missing:
            fix = f"Correct `relation` of table {table.name!r} in the YAML, restore it, or grant SELECT on it."
            return bad(part, reason, fix)
        return bad(part, reason, "Look at the server's log: the relation could not be read.")
    return good(part, "may be read")


def _transactions(make: Make, session: Session, database: Observed) -> Probe:
    """Not a failure: without the right, rows committed late are found by ``lag`` alone."""
    if database.may_see_transactions(session):
        return good("transactions", "open ones are seen: no window goes beyond their start")
    grant = make.grant_transactions.format(database.quoted(database.connection.login))
    return good("transactions", f"open ones are hidden, so only `lag` finds late commits; `{grant}` lets them be seen")
