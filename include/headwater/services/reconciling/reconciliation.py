"""One table, compared with its source: hash pass, look into what differs, and a second look before a word is said."""

from __future__ import annotations

import time
from collections.abc import Collection

from headwater.domain.errors import RequestError
from headwater.domain.names import Layer
from headwater.domain.reconciliation import Difference, DifferenceKind, Reconciliation, is_comparable
from headwater.domain.spec import SourceSpec, TableSpec
from headwater.ports.clock import Clock
from headwater.ports.reconciling import Comparison, LakeRows, PrintedRow, ReleasedRows, Sides, SourceRows
from headwater.ports.run_store import RunStore
from headwater.services.reconciling.classifying import Evidence, Facts, classify
from headwater.services.reconciling.narrowing import narrow
from headwater.services.reconciling.releases import comparison, left_out, released_rows

_ORDER = {kind: place for place, kind in enumerate(DifferenceKind)}


def reconcile_table(runs: RunStore, sides: Sides, clock: Clock, spec: SourceSpec, name: str) -> Reconciliation:
    """Compare one table.

    Each look takes the release first and the source's snapshot after it, so that whatever the source has and the
    release has not came later: such rows are above the watermark, or late. What differs is looked at once more, in
    the newest release and a newer snapshot, for a run may have read and published it meanwhile.

    :raises NotFoundError: when nothing was released yet.
    :raises RequestError: when the table or its kind of source cannot be compared.
    """
    started = time.monotonic()
    table = _table(spec, name)
    released = released_rows(runs, spec, table)
    with sides.lake(released, table) as lake, sides.source(table, spec.connection) as source:
        schema, columns = source.schema(), lake.columns()
        found = narrow(source, lake, comparison(table, released, schema, columns, lake.size()))
        ignored, relation = left_out(table, released, schema, columns), source.relation
    differences = _second_look(runs, sides, spec, table, found.keys) if found.keys else ()
    return Reconciliation(
        table=released.silver,
        compared=released.compared.table,
        relation=relation,
        release=released.release,
        snapshot_id=released.compared.snapshot_id,
        looked_at=clock.now(),
        watermark=released.watermark,
        whole=table.extract.mode == "snapshot",
        source_rows=found.source_rows,
        lake_rows=found.lake_rows,
        unread_rows=found.unread_rows,
        buckets=found.buckets,
        buckets_differing=found.differing,
        buckets_left=found.left,
        rows_read=found.rows_read,
        seconds=round(time.monotonic() - started, 3),
        left_out=ignored,
        differences=differences,
    )


def _table(spec: SourceSpec, name: str) -> TableSpec:
    known = [table.name for table in spec.tables]
    if name not in known:
        raise RequestError(f"{spec.name} has no table {name!r}", got=name, allowed=", ".join(known))
    table = spec.table(name)
    if not is_comparable(table):
        raise RequestError(
            f"table {name!r} of {spec.name} cannot be compared with its source",
            got=f"extract kind {table.extract.kind}, silver mode {table.silver.mode}, key {list(table.key)}",
            allowed="a relation of a database with a key, read as a snapshot or incrementally",
            remedy="Declare its `key`, or leave it out: files are accounted for by their ledger, each taken once.",
            facts={"table": spec.name_of(Layer.SILVER, name).dotted},
        )
    return table


def _second_look(
    runs: RunStore, sides: Sides, spec: SourceSpec, table: TableSpec, keys: Collection[tuple[str, ...]]
) -> tuple[Difference, ...]:
    released = released_rows(runs, spec, table)
    with sides.lake(released, table) as lake, sides.source(table, spec.connection) as source:
        compared = comparison(table, released, source.schema(), lake.columns(), lake.size())
        facts = _facts(source, compared, released)
        found = [classify(item, facts) for item in _evidence(source, lake, compared, keys)]
    return tuple(sorted((item for item in found if item is not None), key=_gravity))


def _evidence(
    source: SourceRows, lake: LakeRows, compared: Comparison, keys: Collection[tuple[str, ...]]
) -> list[Evidence]:
    theirs: dict[tuple[str, ...], list[PrintedRow]] = {}
    for row in source.rows_of(compared, keys):
        theirs.setdefault(row.key, []).append(row)
    ours = {row.key: row for row in lake.rows_of(compared, keys)}
    bronze = {row.key: row for row in lake.bronze_rows_of(compared, keys)}
    aside = set(lake.quarantined(compared, keys))
    read_one_day = lake.bronze_versions_of(compared, aside)
    # a row in quarantine explains an older version in silver, not one that was never read
    known = {key for key in aside if key not in ours or (key, ours[key].content) in read_one_day}
    return [Evidence(key, theirs.get(key, ()), ours.get(key), bronze.get(key), key in known) for key in sorted(keys)]


def _facts(source: SourceRows, compared: Comparison, released: ReleasedRows) -> Facts:
    whole = compared.table.extract.mode == "snapshot"
    return Facts(
        key=compared.table.key,
        bounds=source.bounds(compared),
        batch=released.batch,
        whole=whole,
        keeps_deleted=not whole or compared.table.silver.mode == "append",
        by_time=compared.cursor is None or compared.cursor.type in {"date", "timestamp", "timestamptz"},
    )


def _gravity(item: Difference) -> tuple[int, tuple[str, ...]]:
    return _ORDER[item.kind], tuple(item.key.values())
