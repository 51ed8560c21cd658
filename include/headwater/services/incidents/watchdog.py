"""The watchdog: what must happen even when a callback, a worker or Airflow itself did not do its part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headwater.domain.base import Value
from headwater.domain.errors import AirflowDownError, SpecError
from headwater.domain.names import OPERATIONS
from headwater.ports.airflow_api import AirflowApi
from headwater.ports.notifier import Notifier
from headwater.services.incidents.context import PLATFORM_PIPELINE
from headwater.services.incidents.desk import IncidentDesk
from headwater.services.incidents.failure import FailureContext, failure_from_exception
from headwater.services.incidents.freshness import check_freshness
from headwater.services.incidents.reconciling import reconcile, reconcile_dags
from headwater.services.incidents.recovery import close_all, close_recovered
from headwater.services.incidents.refused_files import check_files
from headwater.services.incidents.sending import send_due

BUDGET_SECONDS = 45.0


class WatchdogReport(Value):
    """What one pass did, in numbers; ``airflow`` is ``answers``, ``not asked`` or why it does not answer."""

    found: int
    late: int
    refused: int = 0
    closed: int
    sent: int
    postponed: int
    airflow: str


def run_watchdog(
    desk: IncidentDesk,
    airflow: AirflowApi | None,
    notifiers: Mapping[str, Notifier],
    budget_seconds: float = BUDGET_SECONDS,
    refused: Sequence[SpecError] | None = None,
    own_dag: str = "",
) -> WatchdogReport:
    """One pass: find what nobody told, judge files and freshness, close what healed, send what waits.

    Sending comes last and always, also when Airflow does not answer, which is an incident of its own.

    :param airflow: None where this process cannot reach Airflow's API.
    :param refused: what is wrong with the files Airflow serves; None where this process has others, such as a
        person's checkout.
    :param own_dag: the DAG whose task makes this pass. A pass makes up for each that was lost before it, so what is
        open of that DAG is closed.
    """
    found, state = (0, "not asked") if airflow is None else _reconcile_all(desk, airflow)
    files = 0 if refused is None else check_files(desk, refused)
    late = check_freshness(desk)
    closed = sum(len(close_recovered(desk.store, desk.runs, name, desk.clock.now())) for name in desk.specs)
    if own_dag:
        close_all(desk.store, own_dag, "a later pass got through", desk.clock.now())
    result = send_due(desk.store, notifiers, desk.clock, budget_seconds)
    return WatchdogReport(
        found=found,
        late=len(late),
        refused=files,
        closed=closed,
        sent=result.sent,
        postponed=result.postponed,
        airflow=state,
    )


def _reconcile_all(desk: IncidentDesk, airflow: AirflowApi) -> tuple[int, str]:
    try:
        found = sum(reconcile(desk, airflow, spec) for spec in desk.specs.values())
        found += reconcile_dags(desk, airflow, OPERATIONS)
    except AirflowDownError as error:
        now = desk.clock.now()
        context = FailureContext(
            pipeline=PLATFORM_PIPELINE, run_id=f"{now:%Y-%m-%dT%H}", task_id="watchdog", seen_at=now
        )
        _, new = desk.report(failure_from_exception(error, context))
        return int(new), error.message
    for incident in desk.store.list(status="open", pipeline=PLATFORM_PIPELINE, limit=1000):
        if incident.cause == AirflowDownError.code:
            desk.store.close(incident.id, "Airflow answers again", desk.clock.now())
    return found, "answers"
