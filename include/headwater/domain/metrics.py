"""The metrics Headwater sends through Airflow: every name once, for who sends them and for what is drawn from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from headwater.domain.base import Value

PREFIX = "airflow"
"""Airflow's ``[metrics] statsd_prefix``, left at its default."""


class Metric(Value):
    """A metric.

    :param name: as Airflow is given it.
    :param labels: exactly these come with each value.
    :param unit: of the value Prometheus shows; a timer is sent in milliseconds and shown in seconds.
    """

    name: str
    kind: Literal["counter", "gauge", "timer"]
    labels: tuple[str, ...]
    unit: str
    help: str

    @property
    def prometheus(self) -> str:
        """Its name in Prometheus, as the StatsD exporter writes it."""
        return f"{PREFIX}_{self.name}".replace(".", "_")

    def tags(self, values: Mapping[str, str]) -> dict[str, str]:
        """The labels of one value. :raises ValueError: when one is missing or not of this metric."""
        if set(values) != set(self.labels):
            raise ValueError(f"{self.name} has labels {', '.join(self.labels)}, not {', '.join(values)}")
        return {label: values[label] for label in self.labels}


STAGE_FINISHED = Metric(
    name="headwater.stage.finished", kind="counter", labels=("pipeline", "stage", "outcome"), unit="stages",
    help="Stages that ended green, or failed; a retry that fails counts again.",
)  # fmt: skip
STAGE_DURATION = Metric(
    name="headwater.stage.duration", kind="timer", labels=("pipeline", "stage"), unit="seconds",
    help="How long a stage worked, waits without a worker left out.",
)  # fmt: skip
TABLE_ROWS = Metric(
    name="headwater.table.rows", kind="counter", labels=("pipeline", "stage", "table"), unit="rows",
    help="Rows a stage read, made or showed of a table.",
)  # fmt: skip
TABLE_DURATION = Metric(
    name="headwater.table.duration", kind="timer", labels=("pipeline", "stage", "table"), unit="seconds",
    help="How long a stage worked at a table.",
)  # fmt: skip
TABLE_HELD = Metric(
    name="headwater.table.held", kind="counter", labels=("pipeline", "stage", "table"), unit="tables",
    help="Tables a green stage left out because their gate was closed.",
)  # fmt: skip
RELEASED = Metric(
    name="headwater.release.published", kind="counter", labels=("pipeline", "stage"), unit="releases",
    help="Releases readers got.",
)  # fmt: skip
RELEASE_AGE = Metric(
    name="headwater.release.age", kind="gauge", labels=("pipeline", "layer"), unit="seconds",
    help="Age of what readers see of a layer whose freshness is promised, by the data clock.",
)  # fmt: skip
RELEASE_AGE_ALLOWED = Metric(
    name="headwater.release.age_allowed", kind="gauge", labels=("pipeline", "layer"), unit="seconds",
    help="The age that the YAML's freshness allows.",
)  # fmt: skip
INCIDENTS_OPEN = Metric(
    name="headwater.incidents.open", kind="gauge", labels=("kind",), unit="incidents",
    help="Open incidents.",
)  # fmt: skip
ALERTS_SENT = Metric(
    name="headwater.alerts.sent", kind="counter", labels=("result",), unit="alerts",
    help="Alerts the watchdog sent, or had to put off because a channel failed.",
)  # fmt: skip
WATCHDOG_PASSES = Metric(
    name="headwater.watchdog.passes", kind="counter", labels=("airflow",), unit="passes",
    help="Passes of the watchdog; `airflow` says whether Airflow's API answered it.",
)  # fmt: skip
METRICS = (
    STAGE_FINISHED, STAGE_DURATION, TABLE_ROWS, TABLE_DURATION, TABLE_HELD, RELEASED, RELEASE_AGE,
    RELEASE_AGE_ALLOWED, INCIDENTS_OPEN, ALERTS_SENT, WATCHDOG_PASSES,
)  # fmt: skip
