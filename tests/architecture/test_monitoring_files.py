"""Rules and dashboards are those the metrics give, and ask only for what is sent."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from headwater.adapters.monitoring import monitoring_files
from headwater.adapters.monitoring.airflow_metrics import AIRFLOW_METRICS
from headwater.adapters.monitoring.exported_metrics import APPLICATIONS_FAILED, EXPORTED_METRICS, ExportedMetric
from headwater.adapters.monitoring.platform_dashboards import KAFKA
from headwater.domain.metrics import METRICS, RELEASED, STAGE_FINISHED, TABLE_HELD, TABLE_ROWS, Metric

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "monitoring"
EVERY: tuple[Metric | ExportedMetric, ...] = (*METRICS, *AIRFLOW_METRICS, *EXPORTED_METRICS)
KNOWN = {metric.prometheus: metric for metric in EVERY}
SELECTOR = re.compile(r"\b((?:airflow|metrics_executor|spark|kafka|minio|cnpg|barman)_\w+)(?:{([^}]*)})?")
WHERE = {"pod"}
"""What Prometheus itself says of a metric."""
GROUPING = re.compile(r"by \(([^)]*)\)")


def expressions() -> list[str]:
    """Of every rule and panel as it is committed."""
    rules = yaml.safe_load((FOLDER / "prometheus/headwater.rules.yaml").read_text())
    found = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    for path in sorted((FOLDER / "grafana").glob("*.json")):
        found += [target["expr"] for panel in json.loads(path.read_text())["panels"] for target in panel["targets"]]
    return found


def test_the_committed_files_are_the_generated_ones() -> None:
    """`make monitoring` writes them."""
    committed = {str(path.relative_to(FOLDER)): path.read_text() for path in FOLDER.rglob("*") if path.is_file()}
    committed.pop("prometheus/headwater.tests.yaml")
    assert committed == monitoring_files()


@pytest.mark.parametrize("expression", expressions())
def test_a_query_names_metrics_and_labels_that_exist(expression: str) -> None:
    named = SELECTOR.findall(expression)
    assert named
    labels = set()
    for metric, selectors in named:
        labels |= set(KNOWN[metric].labels)
        for label, value in re.findall(r'(\w+)="([^"]*)"', selectors):
            assert value
            assert label in KNOWN[metric].labels or (label == "quantile" and KNOWN[metric].kind == "timer")
    for group in GROUPING.findall(expression):
        assert set(re.findall(r"\w+", group)) <= labels | WHERE


def test_what_a_stage_or_release_counts_is_counted_from_its_first_event_on() -> None:
    """A series appears at 1, which ``increase`` alone takes for no growth."""
    born_by_events = (STAGE_FINISHED, RELEASED, TABLE_HELD, TABLE_ROWS, APPLICATIONS_FAILED)
    grown = re.compile(rf"({'|'.join(metric.prometheus for metric in born_by_events)})(?:{{[^}}]*}})?\[")
    asked = [expression for expression in expressions() if grown.search(expression)]
    assert asked
    assert [expression for expression in asked if " unless " not in expression] == []


def test_every_metric_of_headwater_is_looked_at_somewhere() -> None:
    asked = {metric for expression in expressions() for metric, _ in SELECTOR.findall(expression)}
    assert {metric.prometheus for metric in (*METRICS, *EXPORTED_METRICS)} <= asked


def test_the_guide_lists_every_metric_with_its_labels_and_every_alert() -> None:
    guide = (ROOT / "docs/operations/monitoring.md").read_text()
    for metric in METRICS:
        assert f"| `{metric.prometheus}` | {', '.join(metric.labels)} |" in guide
    for exported in EXPORTED_METRICS:
        assert f"| {exported.exporter} | `{exported.prometheus}` |" in guide
    rules = yaml.safe_load((FOLDER / "prometheus/headwater.rules.yaml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert f"| {rule['alert']} | {rule['labels']['severity']} |" in guide


def test_our_brokers_report_what_is_asked_of_them() -> None:
    kafka = next(yaml.safe_load_all((ROOT / "deploy/base/kafka/kafka.yaml").read_text()))["spec"]["kafka"]
    allowed = kafka["metricsConfig"]["values"]["allowList"]
    asked = [metric.prometheus for metric in EXPORTED_METRICS if metric.exporter == "Kafka"]
    assert asked
    assert [name for name in asked if not any(re.fullmatch(pattern, name) for pattern in allowed)] == []


def test_the_page_a_rule_names_exists() -> None:
    rules = yaml.safe_load((FOLDER / "prometheus/headwater.rules.yaml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert (ROOT / rule["annotations"]["runbook"]).is_file(), rule["alert"]


def test_panels_of_topics_leave_out_the_sum_of_all_topics() -> None:
    """A broker tells it beside them, without a topic: seen on Kafka 4.3.1 with Strimzi's reporter."""
    told = [panel.expression for panel in KAFKA.panels if "brokertopicmetrics" in panel.expression]
    assert len(told) == 3
    assert [expression for expression in told if 'topic!=""' not in expression] == []
