"""Opening the catalog, and saying in our words what went wrong with it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError, ProgrammingError, SQLAlchemyError

from headwater.domain.errors import CatalogError, NotFoundError
from headwater.domain.names import CATALOG, TableName
from headwater.domain.settings import CatalogSettings

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog

ATTEMPTS = 40
"""Tries of one commit against other writers of the same table; every lost try means that another one got through."""


def open_catalog(settings: CatalogSettings) -> SqlCatalog:
    """The SQL catalog ``lake``; its two tables are made on first use."""
    from pyiceberg.catalog.sql import SqlCatalog

    for attempt in range(5):
        try:
            return SqlCatalog(
                CATALOG, uri=settings.uri.get_secret_value(), warehouse=settings.warehouse, schema_version="v1"
            )
        except (IntegrityError, ProgrammingError):
            # two processes made the catalog's tables at once: the loser finds them on the next try
            pause(attempt)
    return SqlCatalog(CATALOG, uri=settings.uri.get_secret_value(), warehouse=settings.warehouse, schema_version="v1")


def pause(attempt: int) -> None:
    """Wait a little, longer after each lost try, never in step with other writers."""
    time.sleep(random.uniform(0.2, 1.0) * min(0.01 * 2**attempt, 0.5))  # noqa: S311 - spreads retries, no secret


@contextmanager
def explained(what: str, table: TableName | None = None) -> Iterator[None]:
    """Turn library errors into ours.

    :raises NotFoundError: for a table that does not exist.
    :raises CatalogError: when the catalog's database or the storage failed; what was asked may have happened.
    """
    from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException, NoSuchTableError

    facts = {} if table is None else {"table": table.dotted}
    try:
        yield
    except NoSuchTableError as error:
        raise NotFoundError(f"{what}: the table does not exist", got=str(table), facts=facts) from error
    except (SQLAlchemyError, OSError, CommitFailedException, CommitStateUnknownException) as error:
        raise CatalogError(
            f"{what}: the catalog or its storage failed", got=first_line(error), facts=facts,
            remedy="check that the catalog's database and the warehouse can be reached; then run the task again",
        ) from error  # fmt: skip


@contextmanager
def explained_storage(table: TableName) -> Iterator[None]:
    """Turn a failure of the storage alone into ours; the catalog's own errors pass, because they may be tried again.

    :raises CatalogError: when a file could not be read or written.
    """
    try:
        yield
    except OSError as error:
        raise CatalogError(
            f"{table}: a file could not be read or written", got=first_line(error),
            remedy="check that the warehouse and the staged files can be reached; then run the task again",
            facts={"table": table.dotted},
        ) from error  # fmt: skip


def first_line(error: BaseException) -> str:
    """One bounded line of a library's error: its cause where it has one, never SQL with its parameters."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines() or [""]
    return f"{type(cause).__name__}: {lines[0][:300]}"
