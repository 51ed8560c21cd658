"""Grafana dashboards: panels as data, every expression made from a metric that is sent."""

from __future__ import annotations

from headwater.adapters.monitoring.airflow_metrics import IMPORT_ERRORS, QUEUED_TASKS, STARVING_TASKS
from headwater.adapters.monitoring.exported_metrics import ExportedMetric
from headwater.adapters.monitoring.queries import growth
from headwater.domain import metrics
from headwater.domain.base import Value

_WIDTH, _HEIGHT = 12, 8
"""Two panels in a row of Grafana's 24 columns."""


class Panel(Value):
    """A curve per label set.

    :param unit: Grafana's id, such as ``s`` or ``short``.
    """

    title: str
    expression: str
    legend: str
    unit: str = "short"


class Dashboard(Value):
    """A page of panels; ``uid`` never changes, so that links to it last."""

    uid: str
    title: str
    panels: tuple[Panel, ...]


def grown(metric: metrics.Metric | ExportedMetric, by: str, where: str = "") -> str:
    """What a counter grew between two points of a panel, summed by labels; ``where`` is a selector in braces."""
    return f"sum by ({by}) ({growth(metric.prometheus + where, '$__rate_interval')})"


_AGE, _ALLOWED = metrics.RELEASE_AGE.prometheus, metrics.RELEASE_AGE_ALLOWED.prometheus
_SLOW = f'max by (pipeline, stage) ({metrics.STAGE_DURATION.prometheus}{{quantile="0.99"}})'
_SLOW_TABLES = f'topk(10, max by (table, stage) ({metrics.TABLE_DURATION.prometheus}{{quantile="0.99"}}))'
_OPEN = f"max by (kind) ({metrics.INCIDENTS_OPEN.prometheus})"
_LAYER = "{{layer}} of {{pipeline}}"
_STAGE = "{{pipeline}} {{stage}}"
_FAILED = '{outcome="failed"}'
DASHBOARDS = (
    Dashboard(
        uid="headwater-pipelines",
        title="Headwater: pipelines",
        panels=(
            Panel(title="Stages ended", expression=grown(metrics.STAGE_FINISHED, "outcome"), legend="{{outcome}}"),
            Panel(
                title="Stages failed",
                expression=grown(metrics.STAGE_FINISHED, "pipeline, stage", _FAILED),
                legend=_STAGE,
            ),
            Panel(title="Slowest stages", expression=_SLOW, legend=_STAGE, unit="s"),
            Panel(title="Slowest tables", expression=_SLOW_TABLES, legend="{{table}} {{stage}}", unit="s"),
            Panel(title="Releases", expression=grown(metrics.RELEASED, "pipeline"), legend="{{pipeline}}"),
            Panel(title="Tasks waiting for a slot", expression=f"sum({QUEUED_TASKS.prometheus})", legend="executor"),
            Panel(title="Tasks waiting for a pool", expression=f"sum({STARVING_TASKS.prometheus})", legend="pools"),
            Panel(title="Files that do not load", expression=f"max({IMPORT_ERRORS.prometheus})", legend="files"),
        ),
    ),
    Dashboard(
        uid="headwater-quality",
        title="Headwater: quality",
        panels=(
            Panel(title="Open incidents", expression=_OPEN, legend="{{kind}}"),
            Panel(title="Tables held", expression=grown(metrics.TABLE_HELD, "table"), legend="{{table}}"),
            Panel(title="Rows", expression=grown(metrics.TABLE_ROWS, "pipeline, stage"), legend=_STAGE),
            Panel(title="Alerts", expression=grown(metrics.ALERTS_SENT, "result"), legend="{{result}}"),
        ),
    ),
    Dashboard(
        uid="headwater-freshness",
        title="Headwater: freshness",
        panels=(
            Panel(
                title="Share of the allowed age",
                expression=f"max by (pipeline, layer) ({_AGE} / {_ALLOWED})",
                legend=_LAYER,
                unit="percentunit",
            ),
            Panel(
                title="Age of what readers see",
                expression=f"max by (pipeline, layer) ({_AGE})",
                legend=_LAYER,
                unit="s",
            ),
            Panel(
                title="Passes of the watchdog",
                expression=grown(metrics.WATCHDOG_PASSES, "airflow"),
                legend="Airflow {{airflow}}",
            ),
        ),
    ),
)


def dashboard_file(dashboard: Dashboard) -> dict[str, object]:
    """The document Grafana provisions a dashboard from."""
    source = {"type": "prometheus", "uid": "${datasource}"}
    chosen = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["headwater"],
        "timezone": "utc",
        "editable": False,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "schemaVersion": 39,
        "templating": {"list": [chosen]},
        "panels": [_panel(number, panel, source) for number, panel in enumerate(dashboard.panels)],
    }


def _panel(number: int, panel: Panel, source: dict[str, str]) -> dict[str, object]:
    row, column = divmod(number, 24 // _WIDTH)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": source,
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [{"refId": "A", "datasource": source, "expr": panel.expression, "legendFormat": panel.legend}],
    }
