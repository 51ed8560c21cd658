"""validate_bronze, validate_silver, validate_gold: the contract of every staged table against exactly its snapshot."""

from __future__ import annotations

from headwater.domain.errors import CatalogError, ContractBrokenError, GateError, HeadwaterError
from headwater.domain.job import JobResult, JobSpec, TableResult, ValidateTable
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import SourceSpec, TableSpec
from headwater.domain.staging import StageName, Verdict, new_attempt
from headwater.ports.failpoints import failpoint
from headwater.ports.platform import Platform
from headwater.ports.run_store import StagedRecord
from headwater.services.breaches import breach_of
from headwater.services.context import RunContext, planned
from headwater.services.holding import contract_hash, hold, open_groups
from headwater.services.leasing import holding
from headwater.services.quarantined_share import with_own_checks
from headwater.services.quarantining import publish_quarantine
from headwater.services.report import StageReport, TableOutcome
from headwater.services.staged import awaiting
from headwater.services.table_jobs import error_of

STAGE_OF: dict[Layer, StageName] = {
    Layer.BRONZE: "extract_to_bronze",
    Layer.SILVER: "refine_to_silver",
    Layer.GOLD: "build_gold",
}


def run(platform: Platform, run: RunContext, layer: Layer) -> StageReport:
    """Judge what the run staged in a layer; hold what fails, and open an incident for each held table.

    Diverted rows are published to quarantine first: they are kept whatever the gate says (rule 40).

    :raises ContractBrokenError: when every group with staged tables is held, so that nothing of it can go on.
    :raises GateError: the same, when the gate could not be evaluated.
    """
    stage = f"validate_{layer.value}"
    publish_quarantine(platform, run, STAGE_OF[layer])
    failpoint(f"{stage}.begin")
    waiting = [r for r in awaiting(platform, run, STAGE_OF[layer]) if r.staged.table.layer is layer]
    if not waiting:
        return StageReport(stage=stage, message="nothing staged, nothing to judge")
    verdicts = _judge(platform, run, waiting)
    failures: list[HeadwaterError] = []
    outcomes: list[TableOutcome] = []
    for record in waiting:
        verdict = verdicts[record.staged.table]
        outcomes.append(_outcome(record, verdict))
        if verdict.opens:
            platform.runs.mark_staged(record.staged.attempt, record.staged.table, "staged")
            continue
        contract = run.spec.contracts.get(record.staged.table.dotted)
        error = breach_of(verdict, record, platform.model.quarantine_rules(contract) if contract else ())
        failures.append(error)
        hold(platform, run, record, error, stage)
    failpoint(f"{stage}.end")
    held = tuple(str(record.staged.table) for record in waiting if not verdicts[record.staged.table].opens)
    if not _settle_groups(platform, run, layer, waiting, verdicts) and failures:
        raise _red(failures)
    return StageReport(stage=stage, outcomes=tuple(outcomes), held=held)


def _judge(platform: Platform, run: RunContext, waiting: list[StagedRecord]) -> dict[TableName, Verdict]:
    """A verdict per table: the stored one where snapshot and contract are the same, else a fresh one (rule 15)."""
    verdicts: dict[TableName, Verdict] = {}
    asked: list[ValidateTable] = []
    for record in waiting:
        request = _request(run, record)
        known = platform.runs.verdict(request.table, request.snapshot_id)
        if known is not None and known.contract_hash == request.contract_hash and known.is_decided:
            verdicts[request.table] = known
        else:
            asked.append(request)
    if asked:
        job = JobSpec(
            kind="validate",
            run_key=run.key,
            pipeline=run.spec.name,
            attempt=new_attempt(),
            planned_at=planned(platform, run).planned_at,
            validate_=tuple(asked),
        )
        with holding(platform, run):
            answer = platform.engine.run(job)
        for request in asked:
            _refuse_unreachable(request.table, answer.table(request.table))
        measured = {record.staged.table: record.checks for record in waiting}
        for request in asked:
            verdict = with_own_checks(_verdict(answer, request), measured[request.table])
            platform.runs.save_verdict(run.key, verdict)
            verdicts[request.table] = verdict
    return verdicts


def _refuse_unreachable(table: TableName, result: TableResult | None) -> None:
    """:raises CatalogError: when the job could not reach catalog or store; nobody judged, and a retry may."""
    error = None if result is None or result.status != "failed" else error_of(table, result)
    if isinstance(error, CatalogError):
        raise error


def _request(run: RunContext, record: StagedRecord) -> ValidateTable:
    name = record.staged.table
    spec = _table_spec(run, name)
    return ValidateTable(
        table=name,
        snapshot_id=record.staged.staged,
        physical=record.staged.physical,
        contract=run.spec.contracts.get(name.dotted, ""),
        contract_hash=contract_hash(run, name),
        key=_key(run, name, spec),
        masked=tuple(c for c, rule in spec.columns.items() if rule.classification == "pii") if spec else (),
        batch_only=record.staged.state.batch if name.layer is Layer.BRONZE else None,
    )


def _table_spec(run: RunContext, name: TableName) -> TableSpec | None:
    return None if name.layer is Layer.GOLD or not isinstance(run.spec, SourceSpec) else run.spec.table(name.table)


def _key(run: RunContext, name: TableName, spec: TableSpec | None) -> tuple[str, ...]:
    if name.layer is Layer.GOLD:
        return next(gold.grain for gold in run.spec.gold if gold.name == name.table)
    # bronze keeps every reading of a key; only silver promises one row per key
    return spec.key if spec and name.layer is Layer.SILVER else ()


def _verdict(answer: JobResult, request: ValidateTable) -> Verdict:
    """The engine's verdict, or a closed gate when it gave none for exactly this snapshot."""
    result = answer.table(request.table)
    verdict = result.verdict if result else None
    if verdict is not None and (verdict.snapshot_id, verdict.contract_hash) == (
        request.snapshot_id,
        request.contract_hash,
    ):
        return verdict
    reason = (result.error_line if result else None) or "the gate gave no verdict for this snapshot"
    return Verdict(
        table=request.table,
        snapshot_id=request.snapshot_id,
        contract_hash=request.contract_hash,
        passed=False,
        reason=reason,
        checks_declared=0,
    )


def _outcome(record: StagedRecord, verdict: Verdict) -> TableOutcome:
    passed = sum(check.outcome in {"passed", "warned"} for check in verdict.checks)
    note = f"{passed} of {verdict.checks_declared} checks" if verdict.passed else verdict.reason
    accepted = f"accepted by {verdict.accepted_by}" if verdict.accepted_by else ""
    return TableOutcome(
        table=str(record.staged.table),
        status="passed" if verdict.passed else "accepted" if accepted else "held",
        rows=record.staged.rows if verdict.rows is None else verdict.rows,
        note=accepted or note,
    )


def _settle_groups(
    platform: Platform,
    run: RunContext,
    layer: Layer,
    waiting: list[StagedRecord],
    verdicts: dict[TableName, Verdict],
) -> bool:
    """Hold what a closed group keeps back with it, and say whether anything may still be published (rule 20)."""
    if layer is Layer.BRONZE:
        return any(verdicts[record.staged.table].opens for record in waiting)
    groups = open_groups(platform, run)
    for record in groups.held:
        platform.runs.mark_staged(record.staged.attempt, record.staged.table, "held")
    return bool(groups.moving)


def _red(failures: list[HeadwaterError]) -> HeadwaterError:
    """One error for the stage. Its tables have their incidents already, so it must not open another."""
    first = failures[0]
    kind = GateError if all(isinstance(error, GateError) for error in failures) else ContractBrokenError
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    error = kind(first.message + more, None, first.got, first.allowed, first.remedy, first.facts)
    error.reported = True
    return error
