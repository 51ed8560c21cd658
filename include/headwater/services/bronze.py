"""A finished extract becomes a staged batch of bronze, and its unreadable rows a staging of quarantine."""

from __future__ import annotations

import hashlib

from headwater.domain.names import Layer
from headwater.domain.run import RunKind
from headwater.domain.schema import QUARANTINE_COLUMNS, TableSchema
from headwater.domain.staging import StagedTable, TableState, branch_of
from headwater.ports.catalog import TableHead
from headwater.ports.extractor import Extracted
from headwater.services.extracting import Extraction
from headwater.services.ledgers import named_ledger


def stage_batch(
    work: Extraction, head: TableHead, extracted: Extracted, source_columns: str | None = None
) -> StagedTable:
    """Commit the files to the attempt's branch; the state they bring goes to ``main`` with them (rules 11, 17).

    :param source_columns: path of the note of the source's columns.
    """
    catalog, branch = work.platform.catalog, branch_of(work.attempt)
    catalog.cut_branch(head.table, branch, head.main)
    state = _next_state(work, head, extracted).model_copy(update={"source_columns": source_columns})
    summary = {
        "headwater.run-key": work.run.key,
        "headwater.attempt": work.attempt,
        "headwater.window": work.table_plan.window.model_dump_json(exclude={"items"}),
        "headwater.batch": str(work.table_plan.batch),
        "headwater.watermark": state.watermark or "",
        **named_ledger(state),
        **({"headwater.source-columns": source_columns} if source_columns else {}),
    }
    snapshot = catalog.stage_files(head.table, branch, extracted.files, summary)
    return StagedTable(
        table=head.table,
        attempt=work.attempt,
        branch=branch,
        base=head.main,
        staged=snapshot,
        state=state,
        rows=extracted.rows,
        quarantined=extracted.rejected,
    )


def _next_state(work: Extraction, head: TableHead, extracted: Extracted) -> TableState:
    before = head.state
    watermark = before.watermark if before else None
    goes_on = work.plan.kind is not RunKind.BACKFILL and work.table_plan.window.advances_watermark
    if goes_on and extracted.watermark is not None:
        watermark = extracted.watermark
    ledger, ledger_sha256 = (before.ledger, before.ledger_sha256) if before else (None, None)
    if extracted.ledger is not None:
        name = f"ledger-{work.attempt}.json"
        ledger = work.platform.catalog.write_attachment(head.table, name, extracted.ledger)
        ledger_sha256 = hashlib.sha256(extracted.ledger).hexdigest()
    return TableState(
        run_key=work.run.key,
        spec_hash=work.table_plan.spec_hash,
        batch=work.table_plan.batch,
        watermark=watermark,
        digest=extracted.digest or (before.digest if before else None),
        ledger=ledger,
        ledger_sha256=ledger_sha256,
    )


def stage_rejects(work: Extraction, extracted: Extracted) -> StagedTable | None:
    """Stage unreadable rows into quarantine; it publishes on its own, merged by id (rule 40)."""
    if not extracted.rejects:
        return None
    catalog, run, branch = work.platform.catalog, work.run, branch_of(work.attempt)
    name = run.spec.name_of(Layer.QUARANTINE, work.table.name)
    head = catalog.create(name, TableSchema(columns=QUARANTINE_COLUMNS))
    catalog.cut_branch(name, branch, head.main)
    summary = {"headwater.run-key": run.key, "headwater.attempt": work.attempt}
    snapshot = catalog.stage_new_rows(name, branch, extracted.rejects, "_hw_id", summary)
    if snapshot is None:
        catalog.drop_branches(name, [branch])
        return None
    state = TableState(run_key=run.key, spec_hash="", batch=(head.state.batch if head.state else 0) + 1)
    return StagedTable(
        table=name,
        attempt=work.attempt,
        branch=branch,
        base=head.main,
        staged=snapshot,
        state=state,
        rows=extracted.rejected,
    )
