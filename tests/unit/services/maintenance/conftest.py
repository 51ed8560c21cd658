"""Histories and releases for what decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from headwater.domain.names import Layer, TableName
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.staging import TableState
from headwater.ports.upkeep import SnapshotFacts, TableHistory

TABLE = TableName(layer=Layer.BRONZE, source="shop", table="orders")
START = datetime(2026, 1, 1, tzinfo=UTC)


def at(day: float) -> datetime:
    return START + timedelta(days=day)


@pytest.fixture
def release() -> Callable[..., Release]:
    """A release of ``orders`` on a day, at a snapshot."""

    def make(day: float, snapshot: int, status: str = "published", kind: str = "bronze") -> Release:
        state = TableState(run_key="k", spec_hash="s", ledger=f"ledger-{snapshot}.json")
        item = ReleasedTable(table=TABLE, snapshot_id=snapshot, metadata_location=f"m{snapshot}", state=state)
        return Release(
            id=f"r-{day}-{snapshot}", run_key="k", pipeline="shop", kind=kind, status=status, created_at=at(day),
            published_at=at(day) if status == "published" else None, tables=(item,),
        )  # fmt: skip

    return make


@pytest.fixture
def history() -> Callable[..., TableHistory]:
    """A table whose snapshots are given as ``child -> parent``, made a day apart, oldest first."""

    def make(parents: dict[int, int | None], main: int | None, **more: object) -> TableHistory:
        snapshots = tuple(
            SnapshotFacts(id=child, parent=parent, created_at=at(day))
            for day, (child, parent) in enumerate(parents.items())
        )
        return TableHistory(table=TABLE.dotted, main=main, snapshots=snapshots, metadata_location="m", **more)

    return make
