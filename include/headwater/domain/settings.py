"""The environment profile: where an installation keeps its stores and how it reaches its engines.

Values that may hold secrets are URLs without a password, or references ``${ENV_NAME}`` resolved when a profile is
loaded; ``SecretStr`` keeps them out of logs and reprs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, SecretStr

from headwater.domain.base import Value
from headwater.domain.maintenance import MaintenanceSettings
from headwater.domain.spec import Duration


class CatalogSettings(Value):
    """The Iceberg SQL catalog: ``uri`` for Python (``postgresql+psycopg://…``), ``jdbc`` for Spark."""

    uri: SecretStr
    jdbc_uri: str
    jdbc_user: str = ""
    jdbc_password: SecretStr = SecretStr("")
    warehouse: str


class SparkSettings(Value):
    """The Spark engine. ``connect``: a local Connect server, started on demand and stopped when idle."""

    mode: Literal["connect"] = "connect"
    master: str = "local[2]"
    driver_memory: str = "1500m"
    shuffle_partitions: int = 2
    idle_stop: Duration = timedelta(minutes=15)
    jars: str
    """Folder with the pinned jars."""
    java_home: str | None = None


class AlertSettings(Value):
    """Channels alerts go to. ``console`` prints into the task log and the outbox view."""

    channels: tuple[Literal["console", "email", "slack"], ...] = ("console",)
    smtp_connection: str = "headwater_smtp"
    slack_connection: str = "headwater_slack"
    sender: str = "headwater@localhost"


class LineageSettings(Value):
    """``file`` keeps metadata events under the home folder; ``datahub`` sends them to a DataHub server."""

    mode: Literal["file", "datahub"] = "file"
    connection: str = "headwater_datahub"


class AirflowSettings(Value):
    """How the command line reaches Airflow's REST API; the password is a reference."""

    base_url: str | None = None
    username: str = "admin"
    password: SecretStr = SecretStr("")


class Settings(Value):
    """A resolved profile."""

    home: str
    repository: str
    """Root of the DAG repository (``dags/``, ``sql/``, ``include/``)."""
    installation: str = "default"
    run_store: SecretStr
    catalog: CatalogSettings
    spark: SparkSettings
    alerts: AlertSettings = AlertSettings()
    lineage: LineageSettings = LineageSettings()
    airflow: AirflowSettings = AirflowSettings()
    masking_connection: str = "headwater_masking"
    """Connection whose password is the key of ``mask: hash`` and whose extra holds its ``key_version``."""
    connections_file: str | None = None
    """A file of ``ID=URI`` lines, the form of Airflow's local filesystem secrets backend."""
    clock_file: str | None = None
    """A file holding the data clock (ISO instant) that freshness is judged by; None means the real clock."""
    maintenance: MaintenanceSettings = MaintenanceSettings()
    lease_ttl: Duration = timedelta(seconds=60)
    start_unpaused: bool = False
    public_url: str | None = Field(default=None)
    """Base URL that links in alerts start with; default: Airflow's base URL."""
