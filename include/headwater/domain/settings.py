"""The environment profile: where an installation keeps its stores and how it reaches its engines.

Values that may hold secrets are URLs without a password, or references ``${ENV_NAME}`` resolved when a profile is
loaded; ``SecretStr`` keeps them out of logs and reprs.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import Field, SecretStr, model_validator

from headwater.domain.base import Value
from headwater.domain.maintenance import MaintenanceSettings
from headwater.domain.spark_settings import KubernetesSettings, PlainConf, StageOfSize, StageSize
from headwater.domain.spec import Duration
from headwater.domain.storage import S3Settings, TlsSettings, is_in_s3

LOST_IN_LOCATIONS = "#?"
"""pyiceberg takes what follows one of them in a location for a fragment or a query, and drops it."""


class CatalogSettings(Value):
    """The Iceberg SQL catalog: ``uri`` for Python (``postgresql+psycopg://…``), ``jdbc`` for Spark."""

    uri: SecretStr
    jdbc_uri: str
    jdbc_user: str = ""
    jdbc_password: SecretStr = SecretStr("")
    tls: TlsSettings | None = None
    """TLS to the catalog's database; None: what the two addresses say themselves."""
    warehouse: str
    """A folder, ``file://`` or not, or ``s3://bucket/prefix``."""
    s3: S3Settings | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Passwords and keys, to be masked wherever they would be shown."""
        hidden = (self.jdbc_password, *(() if self.s3 is None else (self.s3.secret_access_key, self.s3.session_token)))
        plain = (item.get_secret_value() for item in hidden)
        return (*_secrets_of(self.uri.get_secret_value()), *(value for value in plain if value))

    @model_validator(mode="after")
    def _whole(self) -> Self:
        scheme = urlsplit(self.warehouse).scheme
        if scheme not in {"", "file", "s3"}:
            raise ValueError(f"a warehouse is a folder, file:///folder or s3://bucket/prefix, not {scheme}://")
        if set(LOST_IN_LOCATIONS) & set(self.warehouse):
            raise ValueError("a warehouse's location holds no # and no ?: choose a folder or prefix without them")
        if is_in_s3(self.warehouse) != (self.s3 is not None):
            missing = "s3, at least its region" if self.s3 is None else "a warehouse s3://bucket/prefix"
            raise ValueError(f"warehouse and s3 belong together: this profile lacks {missing}")
        if is_in_s3(self.warehouse) and not urlsplit(self.warehouse).netloc:
            raise ValueError("the warehouse names no bucket: s3://bucket/prefix")
        modes = _sslmode(self.uri.get_secret_value()), _sslmode(self.jdbc_uri.removeprefix("jdbc:"))
        if self.tls is not None and any(modes):
            raise ValueError("TLS is said twice: leave sslmode out of uri and jdbc_uri where there is tls")
        if self.jdbc_uri and modes[0] != modes[1]:
            raise ValueError("uri and jdbc_uri differ in sslmode: Python or Spark would go without; say it by tls")
        return self


def _secrets_of(uri: str) -> tuple[str, ...]:
    password = urlsplit(uri).password
    return () if password is None else (password, unquote(password))


def _sslmode(address: str) -> str | None:
    return parse_qs(urlsplit(address).query).get("sslmode", [None])[-1]


class SparkSettings(Value):
    """The Spark engine.

    ``connect``: a local Connect server, started on demand and stopped when idle. ``submit``: an application per stage
    by spark-submit, to a standalone master or YARN. ``kubernetes``: a SparkApplication per stage.
    """

    mode: Literal["connect", "submit", "kubernetes"] = "connect"
    master: str = "local[2]"
    """``connect``: ``local[n]``. ``submit``: ``spark://host:port``, ``yarn`` or ``local[n]``."""
    driver_memory: str = "1500m"
    """Of the Connect server; the other engines have ``sizes``."""
    shuffle_partitions: int = 2
    idle_stop: Duration = timedelta(minutes=15)
    jars: str
    """Folder with the pinned jars."""
    java_home: str | None = None
    deploy_mode: Literal["client", "cluster"] = "client"
    """``submit``: where the driver runs. ``client``: beside the task. ``cluster``: on YARN only."""
    sizes: dict[StageOfSize, StageSize] = Field(default_factory=dict)
    """Stage -> its size; ``default`` for the stages not named. Not for ``connect``."""
    conf: PlainConf = Field(default_factory=dict)
    """Properties of Spark, beside and above ours. Not for ``connect``."""
    exchange: str | None = None
    """Folder that tasks and drivers share, for jobs and their answers; default: ``jobs`` in the warehouse."""
    event_log: str | None = None
    """Folder of event logs, which the History server reads."""
    start_timeout: Duration = timedelta(minutes=10)
    """How long a driver may wait for its first executor, or a SparkApplication for its driver."""
    job_timeout: Duration = timedelta(hours=6)
    """How long an application may take before it is stopped."""
    kubernetes: KubernetesSettings | None = None

    @model_validator(mode="after")
    def _fits_mode(self) -> SparkSettings:
        form, words = _MASTERS[self.mode]
        if not form.fullmatch(self.master):
            raise ValueError(f"master {self.master} is not for engine {self.mode}, which takes {words}")
        if self.deploy_mode == "cluster" and self.master != "yarn":
            raise ValueError(f"deploy_mode cluster is for yarn: Spark runs no Python driver inside {self.master}")
        if self.mode == "kubernetes" and self.kubernetes is None:
            raise ValueError("engine kubernetes needs the block `kubernetes`, at least with `image`")
        return self

    def size(self, stage: str) -> StageSize:
        """What a stage's application gets."""
        found = self.sizes.get(stage, self.sizes.get("default"))  # type: ignore[call-overload]
        return found if found is not None else StageSize()


_MASTERS = {
    "connect": (re.compile(r"local(\[(\d+|\*)\])?"), "local[n]"),
    "submit": (re.compile(r"local(\[(\d+|\*)\])?|yarn|spark://\S+:\d+"), "spark://host:port, yarn or local[n]"),
    "kubernetes": (re.compile(r"local(\[(\d+|\*)\])?"), "none: the operator knows its own"),
}


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
    ca_file: str | None = None
    """PEM of the authorities that may have signed its certificate, where ``base_url`` is https; None: public ones."""
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
