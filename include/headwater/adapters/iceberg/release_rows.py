"""The rows of a release in the catalog's database: all of them change, each as it was expected, or none does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Update, text, update
from sqlalchemy.orm import Session

from headwater.domain.names import PhysicalName, TableName
from headwater.domain.release import Move
from headwater.ports.failpoints import failpoint

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import StagedTable

_ASLEEP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Change:
    """The row of a table's name, from ``old`` to what is staged.

    Of a swap also the row of the physical table: from ``apart`` to ``old``, under the name ``becomes``.
    """

    move: Move
    old: str
    staged: StagedTable
    apart: str = ""
    becomes: PhysicalName | None = None


def commit_rows(catalog: SqlCatalog, changes: Sequence[Change]) -> bool:
    """The transaction; False when a row had moved, and then none has changed."""
    with Session(catalog.engine) as session:
        if catalog.engine.dialect.name == "postgresql":
            # a publisher that falls asleep in here holds the rows; the database lets go of it, and nothing has moved
            session.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{_ASLEEP_SECONDS}s'"))
        for change in changes:
            if not all(session.connection().execute(row).rowcount == 1 for row in _rows(catalog, change)):
                session.rollback()
                return False
        failpoint("publish.before_commit")
        session.commit()
    return True


def _rows(catalog: SqlCatalog, change: Change) -> Iterator[Update]:
    """The rows of a table that change, each guarded by what it was."""
    move, old = change.move, change.old
    yield _repointed(catalog, move.table, old, metadata_location=change.staged.metadata_location, previous=old)
    if change.becomes is not None:
        name = change.becomes.identifier[1]
        yield _repointed(catalog, move.home, change.apart, metadata_location=old, previous=None, table_name=name)


def _repointed(catalog: SqlCatalog, table: TableName, old: str, *, previous: str | None, **values: str) -> Update:
    from pyiceberg.catalog.sql import IcebergTables

    namespace, name = table.identifier
    return (
        update(IcebergTables)
        .where(
            IcebergTables.catalog_name == catalog.name,
            IcebergTables.table_namespace == namespace,
            IcebergTables.table_name == name,
            IcebergTables.metadata_location == old,
        )
        .values(previous_metadata_location=previous, **values)
    )
