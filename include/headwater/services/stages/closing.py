"""close_run: say how the run ended, free its leases, clear up after it, close what it healed (rule 25)."""

from __future__ import annotations

from collections.abc import Mapping

from headwater.domain.errors import RunNotGreenError
from headwater.ports.platform import Platform
from headwater.ports.run_store import StagedRecord
from headwater.services.context import RunContext
from headwater.services.holding import broken_tables
from headwater.services.incidents.recovery import close_recovered
from headwater.services.leasing import give_back
from headwater.services.report import StageReport


def run(platform: Platform, run: RunContext, task_states: Mapping[str, str]) -> StageReport:
    """Close the run.

    :param task_states: task id (with map index) -> ``success``, ``failed``, ``upstream_failed`` or ``skipped``.
    :raises RunNotGreenError: when anything failed or was held; the run ends red and names it. Each of them has its
        incident already.
    """
    stagings = platform.runs.staged(run.key)
    held = sorted(
        {str(r.staged.table) for r in stagings if r.status == "held"} | {str(t) for t in broken_tables(platform, run)}
    )
    failed = sorted(task for task, state in task_states.items() if state == "failed")
    _drop_dead_branches(platform, stagings)
    give_back(platform, run)
    _record(platform, run, failed, held)
    # whoever followed an alert's steps sees it closed with the run; the watchdog closes what this misses
    close_recovered(platform.incidents, platform.runs, run.spec.name, platform.clock.now())
    if failed or held:
        raise _not_green(run, failed, held)
    return StageReport(stage="close_run", message="closed: everything green")


def _drop_dead_branches(platform: Platform, stagings: tuple[StagedRecord, ...]) -> None:
    """Branches of stagings that can no longer be published; held and staged ones are kept for a clear."""
    for record in stagings:
        if record.status in {"discarded", "superseded"}:
            platform.catalog.drop_branches(record.staged.table, [record.staged.branch])


def _record(platform: Platform, run: RunContext, failed: list[str], held: list[str]) -> None:
    record = platform.runs.run(run.key)
    if record is None:
        return
    state = "failed" if failed else "held" if held else "success"
    message = ", ".join(failed)
    update = {"state": state, "ended_at": platform.clock.now(), "held": tuple(held), "message": message}
    platform.runs.save_run(record.model_copy(update=update))


def _not_green(run: RunContext, failed: list[str], held: list[str]) -> RunNotGreenError:
    parts = [f"failed: {', '.join(failed)}"] if failed else []
    parts += [f"held: {', '.join(held)}"] if held else []
    error = RunNotGreenError(
        f"run {run.run_key.run_id} of {run.spec.name} ends red; {'; '.join(parts)}",
        remedy="`uv run headwater incidents` lists what broke and the steps that mend it.",
    )
    error.reported = True
    return error
