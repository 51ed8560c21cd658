"""The catalog restarts, or its answer is lost, while a commit is on its way: nothing is lost, nothing is doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import event
from tests.faults.storage.catalog_wire import CatalogWire, wired
from tests.integration.storage.secured_stores import SecuredStores

from headwater.adapters.memory.run_store import MemoryRunStore
from headwater.domain.errors import CatalogError
from headwater.domain.release import Move, Release
from headwater.services.releases import Publication, publish_release

Tables = Any
"""``conftest.Tables``; a conftest cannot be imported."""


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    data_now = now


@pytest.fixture
def wire(secured_stores: SecuredStores) -> Iterator[CatalogWire]:
    with wired(secured_stores.postgres.port) as made:
        yield made


@pytest.fixture
def over_wire(secured_stores: SecuredStores, wire: CatalogWire, open_tables: Any) -> Tables:
    """Tables whose catalog is reached over the wire."""
    settings, port = secured_stores.catalog(), str(secured_stores.postgres.port)
    uri = settings.uri.get_secret_value().replace(f":{port}/", f":{wire.port}/")
    return open_tables(settings.model_copy(update={"uri": SecretStr(uri)}))


@pytest.fixture
def at_next_commit() -> Callable[[Tables, Callable[[], None]], None]:
    """Do something when the next commit is about to be sent."""

    def arm(tables: Tables, act: Callable[[], None]) -> None:
        waiting = [act]

        def on_commit(connection: Any) -> None:
            if waiting:
                waiting.pop()()

        event.listen(tables.catalog._lake.engine, "commit", on_commit)

    return arm


def _restart(stores: SecuredStores) -> None:
    stores.postgres.stop()
    stores.postgres.start()


def _publish(tables: Tables, runs: MemoryRunStore, moves: list[Move]) -> Release:
    return publish_release(
        runs,
        tables.catalog,
        _Clock(),
        Publication(run_key="i/p/r", pipeline="p", kind="audited", moves=moves, unmoved=()),
    )


def test_staging_while_the_catalog_restarts(
    tables: Tables, secured_stores: SecuredStores, at_next_commit: Callable[..., None]
) -> None:
    """Rule 11: the commit was rolled back with the server; the attempt looks at its branch and commits again."""
    table = tables.names[0]
    _, branch = tables.cut(table)
    at_next_commit(tables, lambda: _restart(secured_stores))
    tables.catalog.stage_files(table, branch, [tables.file(1)], {"headwater.run-key": "r1"})
    assert tables.rows(table, branch) == [1]


def test_staging_whose_answer_is_lost(
    over_wire: Tables, wire: CatalogWire, at_next_commit: Callable[..., None]
) -> None:
    """Rule 11: it was committed, nobody heard, and it is found instead of done again."""
    table = over_wire.names[0]
    _, branch = over_wire.cut(table)
    at_next_commit(over_wire, lambda: setattr(wire, "lose_next_answer", True))
    over_wire.catalog.stage_files(table, branch, [over_wire.file(1)], {"headwater.run-key": "r1"})
    assert wire.lost == 1
    assert over_wire.rows(table, branch) == [1]


def test_publishing_while_the_catalog_restarts(
    tables: Tables, secured_stores: SecuredStores, at_next_commit: Callable[..., None]
) -> None:
    """Rule 16: nothing has moved, the task is red and a retry helps; the retry publishes all of it once."""
    runs, moves = MemoryRunStore(), tables.stage(1)
    at_next_commit(tables, lambda: _restart(secured_stores))
    with pytest.raises(CatalogError) as caught:
        _publish(tables, runs, moves)
    assert caught.value.retry_helps
    assert [tables.rows(name) for name in tables.names] == [[], []]
    assert _publish(tables, runs, moves).status == "published"
    assert [tables.rows(name) for name in tables.names] == [[1], [1]]


def test_publishing_whose_answer_is_lost(
    over_wire: Tables, wire: CatalogWire, at_next_commit: Callable[..., None]
) -> None:
    """Rule 16: the release is found whole, without a second publish."""
    runs, moves = MemoryRunStore(), over_wire.stage(1)
    at_next_commit(over_wire, lambda: setattr(wire, "lose_next_answer", True))
    release = _publish(over_wire, runs, moves)
    assert wire.lost == 1
    assert release.status == "published"
    assert [item.status for item in runs.releases("p")] == ["published"]
    assert [over_wire.rows(name) for name in over_wire.names] == [[1], [1]]
