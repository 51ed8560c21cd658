"""Opening the catalog, and saying in our words what went wrong with it."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import make_url
from sqlalchemy.exc import IntegrityError, ProgrammingError, SQLAlchemyError

from headwater.adapters.iceberg.refusals import first_line, refusal
from headwater.domain.errors import CatalogError, NotFoundError
from headwater.domain.names import CATALOG, TableName
from headwater.domain.settings import CatalogSettings
from headwater.domain.storage_errors import WarehouseDownError

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog

ATTEMPTS = 40
"""Tries of one commit against other writers of the same table; every lost try means that another one got through."""


class OpenedLake:
    """The SQL catalog ``lake`` for one adapter, opened on first use."""

    def __init__(self, settings: CatalogSettings) -> None:
        self._settings = settings

    @cached_property
    def _lake(self) -> SqlCatalog:
        with explained("opening the catalog"):
            return open_catalog(self._settings)

    def close(self) -> None:
        """Close the connections to the catalog's database."""
        if "_lake" in self.__dict__:
            self._lake.close()


def open_catalog(settings: CatalogSettings) -> SqlCatalog:
    """The SQL catalog ``lake``; its two tables are made on first use."""
    from pyiceberg.catalog.sql import SqlCatalog

    # one line per table opened, in the log where a person looks for what a task did
    logging.getLogger("pyiceberg.io").setLevel(logging.WARNING)
    properties = catalog_properties(settings)
    for attempt in range(5):
        try:
            return SqlCatalog(CATALOG, **properties)
        except (IntegrityError, ProgrammingError):
            # two processes made the catalog's tables at once: the loser finds them on the next try
            pause(attempt)
    return SqlCatalog(CATALOG, **properties)


def catalog_properties(settings: CatalogSettings) -> dict[str, str]:
    """What pyiceberg opens the catalog with. Holds secrets."""
    found = {
        "uri": catalog_uri(settings),
        "warehouse": settings.warehouse,
        "schema_version": "v1",
        # a connection that a restart of the database cut is noticed before it is used
        "pool_pre_ping": "true",
    }
    if settings.s3 is None:
        return found
    from headwater.adapters.iceberg.warehouse_files import io_properties

    return found | io_properties(settings.s3)


def catalog_uri(settings: CatalogSettings) -> str:
    """The address for Python, with what it says of TLS. Holds the password."""
    uri = settings.uri.get_secret_value()
    if settings.tls is None:
        return uri
    return make_url(uri).update_query_dict(settings.tls.parameters).render_as_string(hide_password=False)


def pause(attempt: int) -> None:
    """Wait a little, longer after each lost try, never in step with other writers."""
    time.sleep(random.uniform(0.2, 1.0) * min(0.01 * 2**attempt, 0.5))  # noqa: S311 - spreads retries, no secret


@contextmanager
def explained(what: str, table: TableName | None = None) -> Iterator[None]:
    """Turn library errors into ours.

    :raises NotFoundError: for a table that does not exist.
    :raises CatalogRefusedError: when the database refused the login or TLS; WarehouseRefusedError: the store our key.
    :raises CatalogError: when the catalog's database or the storage failed; what was asked may have happened.
    """
    from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException, NoSuchTableError

    facts = {} if table is None else {"table": table.dotted}
    try:
        yield
    except NoSuchTableError as error:
        raise NotFoundError(f"{what}: the table does not exist", got=str(table), facts=facts) from error
    except (SQLAlchemyError, OSError, CommitFailedException, CommitStateUnknownException) as error:
        refused = refusal(what, error, facts)
        if refused is not None:
            raise refused from error
        if isinstance(error, OSError):
            raise WarehouseDownError(
                f"{what}: the warehouse's files could not be read or written", got=first_line(error), facts=facts,
                remedy="check that the warehouse can be reached and has room; then run the task again",
            ) from error  # fmt: skip
        raise CatalogError(
            f"{what}: the catalog's database failed", got=first_line(error), facts=facts,
            remedy="check that the catalog's database can be reached; then run the task again",
        ) from error  # fmt: skip


@contextmanager
def explained_storage(table: TableName) -> Iterator[None]:
    """Turn a failure of the storage alone into ours; the catalog's own errors pass, because they may be tried again.

    :raises CatalogError: when a file could not be read or written.
    """
    try:
        yield
    except OSError as error:
        refused = refusal(f"staging {table}", error, {"table": table.dotted})
        if refused is not None:
            raise refused from error
        raise WarehouseDownError(
            f"{table}: a file could not be read or written", got=first_line(error),
            remedy="check that the warehouse and the staged files can be reached; then run the task again",
            facts={"table": table.dotted},
        ) from error  # fmt: skip
