"""Releases compared row by row between two installations of one warehouse, such as a living and a restored one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from headwater.adapters.duckdb.snapshots import columns_of, load_iceberg, scan_of
from headwater.adapters.duckdb.sql import quoted
from headwater.adapters.iceberg.opening import explained, open_catalog
from headwater.domain.names import TableName
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.settings import CatalogSettings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Print = tuple[int, int, int]
"""Rows, and two sums of their hashes that no order changes."""


@dataclass
class ReleasesCompared:
    """``differences`` in words, empty when all is equal; ``rows`` were read on both sides.

    ``expired`` counts tables of releases past the retention, whose snapshot the living side no longer holds.
    """

    releases: int = 0
    tables: int = 0
    rows: int = 0
    expired: int = 0
    differences: list[str] = field(default_factory=list)


class Snapshots:
    """Each snapshot that a catalog's tables hold -> the metadata file it is read by."""

    def __init__(self, settings: CatalogSettings) -> None:
        self.s3 = settings.s3
        self._places: dict[tuple[str, int], str] = {}
        self._prints: dict[tuple[str, int], Print] = {}
        with explained("opening the catalog"), closing(open_catalog(settings)) as catalog:
            for namespace in catalog.list_namespaces():
                for identifier in catalog.list_tables(namespace):
                    table = catalog.load_table(identifier)
                    name = ".".join((identifier[0], *identifier[1].split("__")[:2]))
                    for snapshot in table.metadata.snapshots:
                        self._places[name, snapshot.snapshot_id] = table.metadata_location

    def prints(self, engine: DuckDBPyConnection, item: ReleasedTable) -> Print:
        """Those of a released table, which must hold the snapshot or lie where the release says."""
        place = self._places.get((item.table.dotted, item.snapshot_id), item.metadata_location)
        key = (place, item.snapshot_id)
        if key not in self._prints:
            self._prints[key] = _prints(engine, item.model_copy(update={"metadata_location": place}))
        return self._prints[key]

    def holds(self, table: TableName, snapshot_id: int) -> bool:
        return (table.dotted, snapshot_id) in self._places


def compare_releases(
    living: Sequence[Release], living_at: Snapshots, restored: Sequence[Release], restored_at: Snapshots
) -> ReleasesCompared:
    """Every published release of the living side, with all its tables and rows."""
    import duckdb

    found = ReleasesCompared()
    there = {release.id: release for release in restored}
    with duckdb.connect() as engine:
        load_iceberg(engine, living_at.s3)
        for release in living:
            other = there.pop(release.id, None)
            if other is None or other != release:
                found.differences.append(f"{release.id}: " + ("is missing" if other is None else "says other things"))
                continue
            found.releases += 1
            for item in release.tables:
                if not living_at.holds(item.table, item.snapshot_id):
                    found.expired += 1  # maintenance let go of it; there is nothing to compare
                    continue
                here, back = living_at.prints(engine, item), restored_at.prints(engine, item)
                found.tables += 1
                found.rows += here[0]
                found.differences += _told(release, item, here, back, living_at, restored_at)
    found.differences += [f"{name}: the living side does not have it" for name in there]
    return found


def _told(
    release: Release, item: ReleasedTable, here: Print, back: Print, living_at: Snapshots, restored_at: Snapshots
) -> Iterator[str]:
    what = f"{release.id}: {item.table}"
    if living_at.holds(item.table, item.snapshot_id) and not restored_at.holds(item.table, item.snapshot_id):
        yield f"{what}: the restored catalog lacks snapshot {item.snapshot_id}"
    if here != back:
        yield f"{what}: {here[0]} rows, restored {back[0]}" if here[0] != back[0] else f"{what}: rows differ"


def _prints(engine: DuckDBPyConnection, item: ReleasedTable) -> Print:
    scan = scan_of(item)
    columns = ", ".join(map(quoted, columns_of(engine, scan)))
    half = f"hash({columns})"
    row = engine.execute(
        f"SELECT count(*), coalesce(sum(h::HUGEINT), 0), coalesce(bit_xor(h), 0) FROM (SELECT {half} AS h FROM {scan})"  # noqa: S608 - quoted names, a scan of our own
    ).fetchone()
    rows, total, folded = row if row is not None else (0, 0, 0)
    return (int(rows), int(total), int(folded))
