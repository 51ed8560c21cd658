"""One attempt at a table's frozen window: the bronze table it goes to, and its rows in files."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field

from headwater.domain.errors import StaleBaseError
from headwater.domain.names import Layer
from headwater.domain.run import RunPlan, TablePlan
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS, TableSchema
from headwater.domain.spec import FilesExtract, TableSpec
from headwater.domain.staging import new_attempt
from headwater.ports.catalog import TableHead
from headwater.ports.chunks import ChunkClaim
from headwater.ports.extractor import BatchStamp, Extracted, Extractor
from headwater.ports.platform import Platform
from headwater.services.chunking import RunChunks, chunked, plan_hash
from headwater.services.context import RunContext, source_of
from headwater.services.drift import reconcile
from headwater.services.drift_notices import announce, changes_of, seen_before
from headwater.services.ledgers import read_ledger
from headwater.services.lineage.places import place_of, relation_at
from headwater.services.misfits import Origin


@dataclass(frozen=True)
class Extraction:
    """What one attempt moves, and for whom."""

    platform: Platform
    run: RunContext
    table: TableSpec
    plan: RunPlan
    table_plan: TablePlan
    attempt: str = field(default_factory=new_attempt)

    @property
    def origin(self) -> Origin:
        """What people call the table at the source: its relation, or its landing path."""
        if isinstance(self.table.extract, FilesExtract):
            return Origin(self.table.extract.path, in_database=False)
        place = place_of(self.platform.connections.resolve(source_of(self.run).connection))
        relation = relation_at(place, self.table.extract.relation or self.table.name)
        return Origin(relation, in_postgres=place is not None and place.platform == "postgres")


def read_window(work: Extraction, files: ExitStack) -> tuple[TableHead, TableSchema, Extracted]:
    """The bronze table, the source's columns, and the window's rows in files that stay until ``files`` closes.

    :raises StaleBaseError: when ``main`` moved since the plan.
    :raises SchemaDriftError: when the source's columns no longer fit and the policy is to stop.
    """
    extractor = work.platform.open_extractor(work.table, source_of(work.run).connection)
    try:
        source = extractor.inspect(work.table)
        head = _prepare(work, source)
        if (head.state.batch if head.state else 0) + 1 != work.table_plan.batch:
            raise _stale(head)
        folder = files.enter_context(work.platform.catalog.files_folder(head))
        return head, source, _extract(work, head, extractor, folder)
    finally:
        extractor.close()


def _prepare(work: Extraction, source: TableSchema) -> TableHead:
    """The live bronze table, made or evolved to take what the source has (rules 13, 14)."""
    catalog, table = work.platform.catalog, work.table
    name = work.run.spec.name_of(Layer.BRONZE, table.name)
    head = catalog.head(name)
    if head is None or head.main is None:
        columns = (*(c.model_copy(update={"required": False}) for c in source.columns), *BRONZE_SYSTEM_COLUMNS)
        return catalog.create(name, TableSchema(columns=columns, primary_key=table.key))
    origin = work.origin
    change = reconcile(name, head.schema_, source, table.drift, origin, fixed=table.identifying_columns)
    before = seen_before(catalog, head.state) if origin.in_database else None
    changes = changes_of(head.schema_, source, before, change)
    announce(work.platform, work.run, name, origin.relation, table.drift, changes)
    if change.add or change.widen:
        return catalog.evolve(name, change.add, change.widen)
    return head


def _extract(work: Extraction, head: TableHead, extractor: Extractor, folder: str) -> Extracted:
    """The window's rows in files, in chunks where the YAML asks for them."""
    plan, window, platform = work.plan, work.table_plan.window, work.platform
    stamp = BatchStamp(
        run_key=work.run.key, planned_at=plan.planned_at, batch=work.table_plan.batch, attempt=work.attempt
    )
    in_chunks = chunked(work.table, extractor)
    if in_chunks is not None:
        planned = plan_hash(work.table, work.table_plan, plan.planned_at, head.schema_)
        claim = ChunkClaim(run_key=work.run.key, table=head.table.dotted, plan=planned, attempt=work.attempt)
        chunks = RunChunks(platform.runs, claim)
        return in_chunks.extract_in_chunks(work.table, window, stamp, head.schema_, folder, chunks, print)
    ledger = read_ledger(platform.catalog, head.state)
    return extractor.extract(work.table, window, stamp, head.schema_, folder, ledger, print)


def _stale(head: TableHead) -> StaleBaseError:
    return StaleBaseError(
        f"{head.table} moved since this run planned it",
        got=f"batch {head.state.batch if head.state else 0} on main",
        allowed="the batch the plan was made on",
        remedy="Clear plan_run with everything downstream: it plans again from what is published now.",
        facts={"table": head.table.dotted},
    )
