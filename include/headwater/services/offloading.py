"""Which of a table's history readers of the lake see as the source has it, and so what the source can let go."""

from __future__ import annotations

from collections.abc import Callable

from headwater.domain.errors import RequestError
from headwater.domain.names import Layer
from headwater.domain.offload import OffloadedRange, OffloadReport
from headwater.domain.reconciliation import is_comparable
from headwater.domain.spec import SourceSpec, SqlExtract, TableSpec
from headwater.ports.catalog import Catalog
from headwater.ports.clock import Clock
from headwater.ports.extractor import unheard
from headwater.ports.offloading import CursorRange, OffloadSides, RangedLake, RangedSource
from headwater.ports.reconciling import Comparison, ReleasedRows
from headwater.ports.run_store import RunStore
from headwater.services.offload_bounds import checked_bound
from headwater.services.partitions import covered
from headwater.services.reconciling.releases import comparison, left_out, released_rows

ROWS_OF_A_RANGE = 1_000_000


def offload_table(
    runs: RunStore,
    sides: OffloadSides,
    clock: Clock,
    spec: SourceSpec,
    name: str,
    before: str,
    progress: Callable[[str], None] = unheard,
) -> OffloadReport:
    """Compare the rows whose cursor is below a bound, range by range, in one snapshot of the source.

    A range is verified when each of its rows can be compared and readers see it with every value it has. Rows that
    only the lake has keep nothing: an earlier purge leaves them.

    :raises RequestError: for a table whose deletions would be believed, or a bound that runs may still look behind.
    :raises NotFoundError: when nothing of the table was released yet.
    """
    table = offloadable(spec, name)
    released = released_rows(runs, spec, table)
    with sides.source(table, spec.connection) as source:
        relation = source.relation
        released, compared = _compared(sides, source, released, table)
        bound = checked_bound(source, compared, before)
        rows = (table.extract.chunk_rows if isinstance(table.extract, SqlExtract) else None) or ROWS_OF_A_RANGE
        with sides.lake(released, table) as lake:
            missing = left_out(table, released, source.schema(), lake.columns())
            found, ranges = list[OffloadedRange](), source.ranges(compared, bound, rows)
            for item in ranges:
                found.append(_judged(source, lake, compared, item, missing))
                progress(f"{name}: up to {item.high}: {found[-1].rows:,} rows {found[-1].why or 'verified'}")
            judged = list(zip(ranges, found, strict=True))
            partitions = tuple(covered(item, judged) for item in source.partitions(compared, bound))
    return OffloadReport(
        table=released.silver,
        compared=released.compared.table,
        relation=relation,
        before=before,
        release=released.release,
        snapshot_id=released.compared.snapshot_id,
        looked_at=clock.now(),
        ranges=tuple(found),
        partitions=partitions,
    )


def stored_report(catalog: Catalog, spec: SourceSpec, report: OffloadReport) -> OffloadReport:
    """The report, kept beside the metadata of the bronze table (rule 29)."""
    name = f"offload-{report.looked_at:%Y%m%dT%H%M%S%f}.json"
    bronze = spec.name_of(Layer.BRONZE, report.table.table)
    place = catalog.write_attachment(bronze, name, report.model_dump_json(indent=1).encode())
    return report.model_copy(update={"stored": place})


def offloadable(spec: SourceSpec, name: str) -> TableSpec:
    """The table. :raises RequestError: when the source has no such table, or its deletions would be believed."""
    known = [table.name for table in spec.tables]
    if name not in known:
        raise RequestError(f"{spec.name} has no table {name!r}", got=name, allowed=", ".join(known))
    table = spec.table(name)
    facts = {"table": spec.name_of(Layer.SILVER, name).dotted}
    if table.extract.mode == "snapshot" and isinstance(table.extract, SqlExtract):
        raise RequestError(
            f"table {name!r} is read as a snapshot: what is purged at the source would be deleted in silver, too",
            got="mode: snapshot",
            allowed="mode: incremental, where absence means nothing (rule 31)",
            remedy="Declare `extract: {mode: incremental, cursor: …}` and let a run read it before its history leaves.",
            facts=facts,
        )
    if not is_comparable(table):
        raise RequestError(
            f"table {name!r} of {spec.name} cannot be compared with its source",
            got=f"extract kind {table.extract.kind}, silver mode {table.silver.mode}, key {list(table.key)}",
            allowed="a relation of a database with a key, read incrementally",
            facts=facts,
        )
    return table


def _compared(
    sides: OffloadSides, source: RangedSource, released: ReleasedRows, table: TableSpec
) -> tuple[ReleasedRows, Comparison]:
    """Silver, where it carries every row and column as the source has them; else bronze, which does."""
    schema = source.schema()
    with sides.lake(released, table) as lake:
        if not left_out(table, released, schema, lake.columns()):
            return released, comparison(table, released, schema, lake.columns(), 0)
    bronze = released.model_copy(update={"compared": released.bronze})
    with sides.lake(bronze, table) as lake:
        return bronze, comparison(table, bronze, schema, lake.columns(), 0)


def _judged(
    source: RangedSource, lake: RangedLake, compared: Comparison, item: CursorRange, missing: dict[str, str]
) -> OffloadedRange:
    theirs, ours = source.print_of(compared, item), lake.print_of(compared, item)
    why, verified = "", True
    if theirs.unfit:
        why, verified = f"{theirs.unfit} rows cannot be compared: no key, or values that are not carried", False
    elif missing:
        why, verified = "; ".join(f"column {name} is {reason}" for name, reason in missing.items()), False
    elif theirs[:2] != ours[:2]:
        absent = lake.count_missing(compared, item, source.digests_of(compared, item))
        verified = not absent
        why = f"{absent} rows are not in the lake as they are" if absent else "verified; the lake has others beside"
    rows = theirs.rows + theirs.unfit
    return OffloadedRange(
        low=item.low,
        high=item.high,
        rows=rows,
        lake_rows=ours.rows,
        checksum=f"{theirs.hashes:032x}",
        verified=verified,
        why=why,
        purge=source.purge(compared, item, rows) if verified else None,
    )
