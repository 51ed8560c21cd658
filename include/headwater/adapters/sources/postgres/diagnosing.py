"""Finding the column behind a read that the server itself broke off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from headwater.adapters.sources import parquet
from headwater.adapters.sources.postgres.segments import Segment
from headwater.adapters.sources.postgres.splitting import split
from headwater.adapters.sources.postgres.work import Read
from headwater.adapters.sources.refusing import redact
from headwater.domain.errors import SourceDataError

if TYPE_CHECKING:
    from headwater.adapters.sources.postgres.carry import Carried

_SERVERS_WORD = "ERROR:"
"""How libpq begins what a server says of a statement; a lost connection speaks otherwise."""


def check_readable(session: psycopg.Connection[tuple[Any, ...]], work: Read, reason: str) -> None:
    """Read each column by itself, as UTF-8 text that stays at the server, if ``reason`` came from the server.

    :raises SourceDataError: for values that are no text of the database's encoding (``SQL_ASCII`` takes any bytes),
        have no Unicode character, or that a view cannot compute.
    """
    if _SERVERS_WORD not in reason:
        return
    window = split(work.table, work.extract, work.columns, work.window).window
    query = sql.SQL("SELECT count(octet_length(textsend(({})::text))) FROM {} AS t WHERE {}")
    for column in work.columns:
        try:
            session.execute(query.format(column.expression(), sql.Identifier(*work.relation), window))
            continue
        except psycopg.DataError as error:
            said = redact(str(error), work.connection).splitlines()[0]
        encoding = session.info.parameter_status("server_encoding") or "unknown"
        raise SourceDataError(
            f"a value of column {column.name!r} of {'.'.join(work.relation)} cannot be read",
            got=said,
            allowed=f"values that the database, of encoding {encoding}, can compute and give as UTF-8",
            remedy=f"Correct the values of {column.name!r} at the source, then clear the task.",
            facts={**work.facts, "column": column.name, "encoding": encoding},
        )


def unrepeatable(work: Read, got: str, by: int) -> SourceDataError:
    """What a relation is told that has other rows each time one snapshot of it is read. :param by: how many."""
    return SourceDataError(
        f"{'.'.join(work.relation)} gives other rows each time it is read",
        got=f"{got}, of one snapshot",
        allowed="the same rows for the same snapshot",
        remedy="Read from a table, or from a view without volatile functions.",
        facts={**work.facts, "count": str(abs(by))},
    )


def check_apart(work: Read, segments: Sequence[Segment], done: Sequence[Carried]) -> None:
    """:raises SourceDataError: when a reader met another number of rows than its positions were reserved for."""
    for segment, following, one in zip(segments, segments[1:], done, strict=False):
        if following.before is not None and one.last_ordinal != following.before:
            parquet.delete([file for each in done for file in each.files])
            met, told = one.last_ordinal - segment.first, following.before - segment.first
            raise unrepeatable(work, f"{met} rows between two bounds in one reading, {told} in another", met - told)
