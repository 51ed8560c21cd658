"""The LakeUpkeep port over pyiceberg: a table's history, and the changes that only maintenance makes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from headwater.adapters.iceberg.opening import ATTEMPTS, OpenedLake, explained, pause
from headwater.adapters.iceberg.tables import head_of
from headwater.domain.errors import CatalogError
from headwater.domain.names import PhysicalName, TableName
from headwater.ports.upkeep import SnapshotFacts, TableHistory

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

ANCESTRY = "headwater.ancestry"
"""Table property, JSON: snapshot -> nearest ancestor that is still there, where its parent has expired (ADR 18)."""
SMALL_MANIFEST_BYTES = 8 * 1024 * 1024


def history_of(name: TableName, table: Table, *, manifests: bool = False) -> TableHistory:
    """The port's view of a loaded table. :param manifests: also count those of ``main``, which reads one file."""
    head = head_of(name, table)
    current = table.metadata.current_snapshot()
    told = json.loads(table.metadata.properties.get(ANCESTRY, "{}"))
    return TableHistory(
        table=f"{name.dotted} ({name.mark})" if isinstance(name, PhysicalName) else name.dotted,
        main=head.main,
        # those of physical tables staged beside it are none of its snapshots
        branches=head.branches,
        tags=head.tags,
        state=head.state,
        snapshots=tuple(map(_facts, table.metadata.snapshots)),
        mains=tuple((_instant(entry.timestamp_ms), entry.snapshot_id) for entry in table.metadata.snapshot_log),
        ancestry={int(child): ancestor for child, ancestor in told.items()},
        metadata_location=head.metadata_location,
        manifests=len(current.manifests(table.io)) if manifests and current else 0,
        is_sorted=bool(table.sort_order().fields),
    )


class IcebergUpkeep(OpenedLake):
    """``ports.upkeep.LakeUpkeep`` over the SQL catalog, opened on first use."""

    def history(self, table: TableName) -> TableHistory | None:
        from pyiceberg.exceptions import NoSuchTableError

        with explained(f"reading {table}", table):
            try:
                loaded = self._lake.load_table(table.identifier)
            except NoSuchTableError:
                return None
            return history_of(table, loaded, manifests=True)

    def merge_manifests(self, table: TableName, branch: str) -> int | None:
        with explained(f"merging manifests of {table}", table):
            loaded = self._lake.load_table(table.identifier)
            head = loaded.snapshot_by_name(branch)
            small = [item for item in head.manifests(loaded.io) if _is_small(item.manifest_length)] if head else []
            if head is None or len(small) < 2:
                return None
            # of our copy of the metadata, which is never written: other writers merge as the table says
            loaded.metadata.properties.update(
                {
                    "commit.manifest-merge.enabled": "true",
                    "commit.manifest.min-count-to-merge": "2",
                    "commit.manifest.target-size-bytes": str(SMALL_MANIFEST_BYTES),
                    "commit.retry.num-retries": "0",
                }
            )
            with loaded.transaction() as transaction:
                transaction.update_snapshot(branch=branch).merge_append().commit()
            merged = self._lake.load_table(table.identifier).snapshot_by_name(branch)
            return None if merged is None else merged.snapshot_id

    def note_ancestry(self, table: TableName, ancestry: Mapping[int, int]) -> None:
        from pyiceberg.exceptions import CommitFailedException
        from pyiceberg.table.update import SetPropertiesUpdate

        told = json.dumps({str(child): ancestor for child, ancestor in sorted(ancestry.items())})
        for attempt in range(ATTEMPTS):
            with explained(f"noting ancestors of {table}", table):
                loaded = self._lake.load_table(table.identifier)
                if json.loads(loaded.metadata.properties.get(ANCESTRY, "{}")) == json.loads(told):
                    return
                try:
                    self._lake.commit_table(loaded, (), (SetPropertiesUpdate(updates={ANCESTRY: told}),))
                    return
                except CommitFailedException:
                    pause(attempt)
        raise CatalogError(f"noting ancestors of {table}: lost {ATTEMPTS} times", facts={"table": table.dotted})


def _is_small(length: int) -> bool:
    return length < SMALL_MANIFEST_BYTES


def _facts(snapshot: Snapshot) -> SnapshotFacts:
    said = {} if snapshot.summary is None else snapshot.summary.additional_properties

    def count(name: str) -> int:
        return int(said.get(name, "0"))

    return SnapshotFacts(
        id=snapshot.snapshot_id,
        parent=snapshot.parent_snapshot_id,
        created_at=_instant(snapshot.timestamp_ms),
        data_files=count("total-data-files"),
        delete_files=count("total-delete-files"),
        size_bytes=count("total-files-size"),
        rows=count("total-records") - count("total-position-deletes"),
    )


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
