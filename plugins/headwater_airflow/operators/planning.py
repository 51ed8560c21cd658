"""The two stages before anything is read."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import DownstreamTasksSkipped

from headwater.domain.duration import format_duration
from headwater.domain.errors import LeaseHeldError
from headwater.domain.run import RunPlan, RunRequest
from headwater_airflow.operators.base import Stage, StageOperator
from headwater_airflow.operators.plan_table import plan_lines
from headwater_airflow.operators.request import run_request
from headwater_airflow.triggers.lease import LeaseTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from headwater.services.leasing import LeaseBusyError

FIRST_POLL_SECONDS, LATER_POLL_SECONDS = 5.0, 30.0


class PreflightOperator(StageOperator):
    """Check connections and contracts and run the unit tests of the transforms, before anything is read."""

    works_by_plan = False

    def run_stage(self, stage: Stage) -> dict[str, Any]:
        """Check."""
        from headwater.services.stages import preflight

        return self.tell(preflight.run(stage.platform, stage.run))


class PlanRunOperator(StageOperator):
    """Take the leases, waiting without a worker slot while others hold them, and freeze what the run does."""

    works_by_plan = False

    def run_stage(self, stage: Stage) -> list[str]:
        """Plan, or defer until the tables are free. Returns the tables extract_to_bronze is expanded over."""
        return self._plan(stage, until=None)

    def execute_after_wait(self, context: Context, event: dict[str, Any] | None = None, *, until: str) -> Any:
        """Try again after a wait. :raises AirflowFailException: when ``lease_wait`` is over and a lease still held."""
        with self.measured():
            self.log.info("waited: %s", ", ".join((event or {}).get("blocked_by") or ["the tables are free"]))
            return self._plan(self.open(context), until=until)

    def _plan(self, stage: Stage, until: str | None) -> list[str]:
        from headwater.services.leasing import LeaseBusyError
        from headwater.services.stages import planning

        request = run_request(stage.run.spec, stage.context["params"])
        try:
            plan = planning.run(stage.platform, stage.run, request)
        except LeaseBusyError as busy:
            self._wait(stage, busy, until)
            raise
        for line in plan_lines(stage.run, plan):
            self.log.info("%s", line)
        stage.context["ti"].xcom_push(key="plan", value=_summary(plan, request))
        if request.dry_run:
            self._end_dry_run()
        return [table.table for table in plan.tables]

    def _wait(self, stage: Stage, busy: LeaseBusyError, until: str | None) -> None:
        """Defer, unless the time is over. A retry of this task begins the wait anew, as clearing it would."""
        now = stage.platform.clock.now()
        wait = stage.run.spec.lease_wait
        end = datetime.fromisoformat(until) if until else now + wait
        if now >= end:
            raise _held(stage, busy) from busy
        for lease in busy.holders:
            self.log.info("waiting for %s: %s until %s", lease.table, lease.holder, end.isoformat(timespec="seconds"))
        self.defer(
            trigger=LeaseTrigger(
                tables=[table.dotted for table in stage.run.all_tables()],
                run_key=stage.run.key,
                until=end.isoformat(),
                # a lease may have run out while its run still lives: then there is nothing to hurry for
                poll_seconds=FIRST_POLL_SECONDS if until is None else LATER_POLL_SECONDS,
            ),
            method_name=self.execute_after_wait.__name__,
            kwargs={"until": end.isoformat()},
        )

    def _end_dry_run(self) -> None:
        self.log.info("dry run: nothing was read or written; the rest of the chain is skipped")
        tasks = sorted(self.downstream_task_ids - {"close_run"})
        raise DownstreamTasksSkipped(tasks=tasks)  # type: ignore[no-untyped-call]  # Airflow gives it no types


def _summary(plan: RunPlan, request: RunRequest) -> dict[str, Any]:
    return {
        "kind": plan.kind.value,
        "planned_at": plan.planned_at.isoformat(),
        "windows": {table.table: table.window.kind for table in plan.tables},
        "inputs": {name: str(snapshot) for name, snapshot in plan.inputs.items()},
        "reason": request.reason,
    }


def _held(stage: Stage, busy: LeaseBusyError) -> LeaseHeldError:
    holders = ", ".join(sorted({lease.holder or lease.run_key for lease in busy.holders}))
    tables = len(busy.holders)
    return LeaseHeldError(
        f"after {format_duration(stage.run.spec.lease_wait)}, {tables} tables of {stage.run.spec.name} are still held "
        f"by {holders}",
        got=holders,
        allowed="tables that no other run holds",
        remedy="Let the other run end or stop it, then run again.",
        facts={
            **busy.facts,
            "holder": holders,
            "count": str(tables),
            "held_until": f"{max(lease.expires_at for lease in busy.holders):%Y-%m-%d %H:%M:%S} UTC",
            "lease_ttl": format_duration(stage.platform.settings.lease_ttl),
        },
    )
