"""What is sent, read from the wire: Airflow's own StatsD client, a real socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from importlib import resources
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from airflow.sdk import conf
from airflow.sdk._shared.observability.metrics.statsd_logger import get_statsd_logger
from airflow.sdk.exceptions import AirflowTaskTimeout, DownstreamTasksSkipped, TaskDeferred
from airflow.sdk.observability import stats
from statsd import StatsClient

from headwater.adapters.monitoring.airflow_metrics import AIRFLOW_METRICS
from headwater.domain.errors import TransformError
from headwater.domain.metrics import METRICS, PREFIX, STAGE_FINISHED
from headwater.domain.names import Layer, TableName
from headwater.services.incidents import freshness
from headwater.services.incidents.watchdog import WatchdogReport
from headwater.services.report import ChangedTable, StageReport, TableOutcome
from headwater_airflow.metrics import measured_stage, tell_report, tell_watchdog

REPORT = StageReport(
    stage="publish",
    outcomes=(TableOutcome(table="silver.shop.orders", status="published", rows=7, seconds=0.25),),
    changed=(ChangedTable(table=TableName.parse("silver.shop.orders"), snapshot_id=1),),
    held=("silver.shop.stock",),
    release="r-1",
)


class Wire:
    """The datagrams that arrived."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port: int = self._socket.getsockname()[1]

    def lines(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self._socket.recv(4096).decode())
            except TimeoutError:
                return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    client: Any = get_statsd_logger(
        stats_class=StatsClient, host="127.0.0.1", port=made.port, prefix=PREFIX, influxdb_tags_enabled=True,
        statsd_influxdb_enabled=True,
    )  # fmt: skip
    stats.initialize(factory=lambda: client, export_legacy_names=False)
    yield made
    stats.initialize(factory=_nothing, export_legacy_names=False)
    client.statsd.close()
    made.close()


def _nothing() -> Any:
    from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger

    return NoStatsLogger()


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two open incidents, one layer that is late."""
    age = freshness.LayerAge(pipeline="shop", layer=Layer.GOLD, age=timedelta(hours=2), allowed=timedelta(hours=1))
    monkeypatch.setattr(freshness, "layer_ages", lambda _: (age,))
    found = [SimpleNamespace(kind="held"), SimpleNamespace(kind="held")]
    return SimpleNamespace(store=SimpleNamespace(list=lambda **_: found))


def everything(desk: Any) -> None:
    with measured_stage("shop", "publish"):
        tell_report("shop", REPORT)
    tell_watchdog(desk, WatchdogReport(found=0, late=1, closed=0, sent=2, postponed=1, airflow="answers"))


def test_every_metric_is_sent_with_its_labels_and_no_other(wire: Wire, desk: Any) -> None:
    everything(desk)
    sent = {}
    for line in wire.lines():
        head, _, _ = line.partition(":")
        name, *tags = head.split(",")
        sent[name] = tuple(tag.partition("=")[0] for tag in tags)
    assert sent == {f"{PREFIX}.{metric.name}": metric.labels for metric in METRICS}


def test_values_and_kinds_are_what_they_say(wire: Wire, desk: Any) -> None:
    everything(desk)
    lines = wire.lines()
    table = "pipeline=shop,stage=publish,table=silver.shop.orders"
    for line in (
        f"airflow.headwater.table.rows,{table}:7|c",
        f"airflow.headwater.table.duration,{table}:250.000000|ms",
        "airflow.headwater.table.held,pipeline=shop,stage=publish,table=silver.shop.stock:1|c",
        "airflow.headwater.release.published,pipeline=shop,stage=publish:1|c",
        "airflow.headwater.release.age,pipeline=shop,layer=gold:7200.0|g",
        "airflow.headwater.release.age_allowed,pipeline=shop,layer=gold:3600.0|g",
        "airflow.headwater.incidents.open,kind=held:2|g",
        "airflow.headwater.incidents.open,kind=failed:0|g",
        "airflow.headwater.alerts.sent,result=postponed:1|c",
        "airflow.headwater.watchdog.passes,airflow=answers:1|c",
    ):
        assert line in lines


@pytest.mark.parametrize(
    ("ending", "outcome"),
    [
        (TransformError("division by zero"), "failed"),
        (ValueError("unforeseen"), "failed"),
        (AirflowTaskTimeout("execution_timeout"), "failed"),
        (DownstreamTasksSkipped(tasks=[]), "green"),  # type: ignore[no-untyped-call]
        (TaskDeferred(trigger=SimpleNamespace(), method_name="again"), None),
    ],
)
def test_a_stage_is_told_by_how_it_ended(wire: Wire, ending: BaseException, outcome: str | None) -> None:
    with pytest.raises(type(ending)), measured_stage("shop", "plan_run"):
        raise ending
    ended = [line for line in wire.lines() if STAGE_FINISHED.name in line]
    expected = f"airflow.headwater.stage.finished,pipeline=shop,stage=plan_run,outcome={outcome}:1|c"
    assert ended == ([expected] if outcome else [])


def test_a_silent_airflow_is_one_word_whatever_it_said(wire: Wire, desk: Any) -> None:
    report = WatchdogReport(found=1, late=0, closed=0, sent=0, postponed=0, airflow="Airflow at http://x, y=z: no")
    tell_watchdog(desk, report)
    assert "airflow.headwater.watchdog.passes,airflow=silent:1|c" in wire.lines()


def test_a_label_too_many_or_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="has labels pipeline, stage, outcome"):
        STAGE_FINISHED.tags({"pipeline": "shop", "table": "x"})


def test_airflows_own_names_are_airflows() -> None:
    """An upgrade that renames one is met here, not by an empty panel."""
    template = resources.files("airflow._shared.observability.metrics").joinpath("metrics_template.yaml").read_text()
    known = {item["name"]: item["type"] for item in yaml.safe_load(template)["metrics"]}
    assert {metric.name: metric.kind for metric in AIRFLOW_METRICS}.items() <= known.items()
    assert json.dumps(conf.get("metrics", "statsd_prefix")) == f'"{PREFIX}"'
