"""The demo's source: a PostgreSQL database an airline might have, filled month by month."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from headwater.cli.demo.flight_data import MISSING, Row, read_flights, read_table

KNOWN_AFTER = timedelta(hours=6)
"""How long after its scheduled hour a flight's row was written: ``updated_at``."""
BEGIN = datetime(2013, 1, 1, tzinfo=UTC)
"""Before the first flight."""
_TABLES = """
CREATE TABLE airlines (carrier text PRIMARY KEY, name text NOT NULL);
CREATE TABLE airports (
  faa text PRIMARY KEY, name text NOT NULL, lat double precision, lon double precision, alt integer,
  tz integer, dst text, tzone text);
CREATE TABLE planes (
  tailnum text PRIMARY KEY, year integer, type text, manufacturer text, model text, engines integer,
  seats integer, speed integer, engine text);
CREATE TABLE flights (
  year integer NOT NULL, month integer NOT NULL, day integer NOT NULL, dep_time integer, sched_dep_time integer,
  dep_delay integer, arr_time integer, sched_arr_time integer, arr_delay integer, carrier text NOT NULL,
  flight integer NOT NULL, tailnum text, origin text NOT NULL, dest text NOT NULL, air_time integer,
  distance integer, hour integer, minute integer, time_hour timestamptz NOT NULL, updated_at timestamptz NOT NULL,
  PRIMARY KEY (origin, time_hour, carrier, flight));
CREATE INDEX ON flights (updated_at);
"""
READER = "flights_reader"
"""The login Headwater reads with. It may read everything, change nothing, and see since when transactions are open."""
REFERENCE_TABLES = ("airlines", "airports", "planes")


def is_loaded(connection: psycopg.Connection) -> bool:
    """Whether the source has its tables."""
    row = connection.execute("SELECT to_regclass('public.flights')").fetchone()
    return row is not None and row[0] is not None


def load_first_month(connection: psycopg.Connection) -> dict[str, int]:
    """Make the tables and fill them up to the end of January 2013, in one transaction; returns rows per table."""
    with connection.transaction():
        connection.execute(_TABLES)
        rows = {name: _copy(connection, name, read_table(name)) for name in REFERENCE_TABLES}
        return rows | {"flights": add_months(connection, range(1, 2))}


def admit_reader(connection: psycopg.Connection) -> str:
    """Make the reader's login, or give it a new password; returns the password, which needs no escape in a URL."""
    password = secrets.token_urlsafe(24)
    known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (READER,)).fetchone()
    verb = sql.SQL("CREATE" if known is None else "ALTER")
    login = sql.Identifier(READER)
    connection.execute(sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, login, sql.Literal(password)))
    connection.execute(sql.SQL("GRANT pg_read_all_data, pg_read_all_stats TO {}").format(login))
    return password


def add_months(connection: psycopg.Connection, months: range, since: datetime = BEGIN) -> int:
    """Insert the flights of these months; returns how many.

    :param since: none is written before: what a source writes below what was read already is late, and may be missed.
    """
    return _copy(connection, "flights", _with_updates(read_flights(months), since))


def change(connection: psycopg.Connection, statements: Mapping[str, str]) -> dict[str, int]:
    """Run named statements in one transaction; returns the rows each touched."""
    with connection.transaction():
        return {what: connection.execute(statement.encode()).rowcount for what, statement in statements.items()}


def _with_updates(rows: Iterable[Row], since: datetime) -> Iterator[Row]:
    for row in rows:
        written = max(datetime.fromisoformat(row["time_hour"]) + KNOWN_AFTER, since)
        yield {**row, "updated_at": written.isoformat()}


def _copy(connection: psycopg.Connection, table: str, rows: Iterable[Row]) -> int:
    count = 0
    iterator = iter(rows)
    first = next(iterator, None)
    if first is None:
        return 0
    names = sql.SQL(", ").join(map(sql.Identifier, first))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in _chain(first, iterator):
            copy.write_row([None if value in {MISSING, ""} else value for value in row.values()])
            count += 1
    return count


def _chain(first: Row, rest: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rest
