"""Opens a relation of a database whose own driver gives the rows, to compare it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from headwater.adapters.duckdb.engine import writer
from headwater.adapters.sources.queried.database import Database
from headwater.adapters.sources.queried.fingerprints import QueriedRows
from headwater.adapters.sources.queried.relations import facts_of_table
from headwater.adapters.sources.queried.sums import HashedRows
from headwater.domain.spec import TableSpec


@contextmanager
def queried_rows(database: Database, table: TableSpec) -> Iterator[QueriedRows]:
    """The rows of one moment, hashed by the server where it can hash what the lake does.

    :raises RequestError: when writers would have to wait for the comparison.
    """
    with (
        tempfile.TemporaryDirectory(prefix="headwater-queried-") as scratch,
        writer() as engine,
        database.explained(facts_of_table(table, database)),
        closing(database.connect()) as session,
    ):
        hashing = database.hashing(session)
        with session.one_moment():
            if hashing is None:
                yield QueriedRows(table, engine, Path(scratch), session, database)
            else:
                yield HashedRows(table, engine, Path(scratch), session, database, hashing)
