"""What Prometheus alerts the platform team of: that Headwater or Airflow cannot tell owners themselves.

A table that is held or late is told to its owner by Headwater, with steps; here stands what no task can tell any more.
"""

from __future__ import annotations

from headwater.adapters.monitoring.airflow_metrics import IMPORT_ERRORS, SCHEDULER_HEARTBEAT
from headwater.adapters.monitoring.queries import growth
from headwater.domain import metrics
from headwater.domain.base import Value


class Rule(Value):
    """An alerting rule.

    :param holds: how long ``expression`` must hold, such as ``5m``.
    :param runbook: page under ``docs/operations``.
    """

    name: str
    expression: str
    holds: str
    severity: str
    summary: str
    action: str
    runbook: str = "monitoring.md"


_PASSES = metrics.WATCHDOG_PASSES.prometheus
_FINISHED = metrics.STAGE_FINISHED.prometheus
_RED = '{outcome="failed"}'
_FAILED = f"sum by (stage) ({growth(_FINISHED + _RED, '1h')})"
_ENDED = f"sum by (stage) ({growth(_FINISHED, '1h')})"
RULES = (
    Rule(
        name="HeadwaterWatchdogSilent",
        expression=f"absent({_PASSES}) or sum(increase({_PASSES}[10m])) == 0",
        holds="5m",
        severity="page",
        summary="The watchdog has made no pass for ten minutes: failures, late tables and unsent alerts go unnoticed.",
        action="Run `headwater watchdog` from outside Airflow now; then see why headwater_watchdog does not run.",
    ),
    Rule(
        name="HeadwaterAirflowSilent",
        expression=f'increase({_PASSES}{{airflow="silent"}}[10m]) > 0',
        holds="5m",
        severity="page",
        summary="The watchdog does not reach Airflow's API: killed and stuck runs are not found.",
        action="Look at the API server: /api/v2/monitor/health.",
    ),
    Rule(
        name="AirflowSchedulerSilent",
        expression=f"sum(increase({SCHEDULER_HEARTBEAT.prometheus}[5m])) == 0",
        holds="5m",
        severity="page",
        summary="No scheduler gives a sign of life: no run starts.",
        action="Look at the scheduler's log; restart it.",
    ),
    Rule(
        name="HeadwaterAlertsNotDelivered",
        expression=f'increase({metrics.ALERTS_SENT.prometheus}{{result="postponed"}}[15m]) > 0',
        holds="30m",
        severity="page",
        summary="Alerts have been put off for half an hour: a channel fails, and owners are not told.",
        action="`headwater incidents` lists what is open; the watchdog's log names the channel.",
    ),
    Rule(
        name="HeadwaterStageFailsEverywhere",
        expression=f"{_FAILED} > 4 and {_FAILED} / {_ENDED} > 0.5",
        holds="10m",
        severity="ticket",
        summary="More than half of all {{ $labels.stage }} tasks fail: a shared part is broken, not one source.",
        action="Look at what the stage uses: Spark, catalog, run store, storage.",
    ),
    Rule(
        name="HeadwaterLayerLate",
        expression=f"{metrics.RELEASE_AGE.prometheus} > {metrics.RELEASE_AGE_ALLOWED.prometheus}",
        holds="2h",
        severity="ticket",
        summary="{{ $labels.layer }} of {{ $labels.pipeline }} has been older than promised for two hours.",
        action="Its owner was told by Headwater; see that somebody works on it.",
    ),
    Rule(
        name="HeadwaterFilesNotLoaded",
        expression=f"max({IMPORT_ERRORS.prometheus}) > 0",
        holds="15m",
        severity="ticket",
        summary="DAG files do not load: what was pushed last is not, or not all, deployed.",
        action="Airflow's import errors name file, line and key.",
        runbook="git-push.md",
    ),
)


def rules_file(**groups: tuple[Rule, ...]) -> dict[str, object]:
    """The document of Prometheus' ``rule_files``, of groups by name."""
    return {"groups": [{"name": name, "rules": [_rule(rule) for rule in rules]} for name, rules in groups.items()]}


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "alert": rule.name,
        "expr": rule.expression,
        "for": rule.holds,
        "labels": {"severity": rule.severity},
        "annotations": {
            "summary": rule.summary,
            "action": rule.action,
            "runbook": f"docs/operations/{rule.runbook}",
        },
    }
