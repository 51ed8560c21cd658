"""Finding the column behind a read that the server itself broke off."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from headwater.adapters.sources.postgres.splitting import split
from headwater.adapters.sources.postgres.work import Read
from headwater.adapters.sources.refusing import redact
from headwater.domain.errors import SourceDataError

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
