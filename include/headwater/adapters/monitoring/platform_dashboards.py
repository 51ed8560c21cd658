"""Dashboards of what Headwater stands on: Spark, Kafka, MinIO, PostgreSQL."""

from __future__ import annotations

from headwater.adapters.monitoring import exported_metrics as exported
from headwater.adapters.monitoring.dashboards import Dashboard, Panel, grown
from headwater.adapters.monitoring.exported_metrics import ExportedMetric

_APPLICATION = "{{application_name}}"


def _per_second(metric: ExportedMetric, by: str) -> str:
    return f"sum by ({by}) (rate({metric.prometheus}[$__rate_interval]))"


def _topics_per_second(metric: ExportedMetric) -> str:
    """Without the line that has no topic: a broker tells the sum of all topics beside them."""
    return f'sum by (topic) (rate({metric.prometheus}{{topic!=""}}[$__rate_interval]))'


def _most(metric: ExportedMetric, by: str) -> str:
    return f"max by ({by}) ({metric.prometheus})"


def _sum(metric: ExportedMetric, by: str) -> str:
    return f"sum by ({by}) ({metric.prometheus})"


_COLLECTING = f"{_per_second(exported.GC_SECONDS, 'application_name')} / "
SPARK = Dashboard(
    uid="headwater-spark",
    title="Headwater: Spark",
    panels=(
        Panel(
            title="Applications at work", expression=_sum(exported.APPLICATIONS_RUNNING, "app_type"),
            legend="{{app_type}}",
        ),
        Panel(
            title="Applications that failed", expression=grown(exported.APPLICATIONS_FAILED, "app_type"),
            legend="{{app_type}}",
        ),
        Panel(
            title="Applications that ended well", expression=grown(exported.APPLICATIONS_SUCCEEDED, "app_type"),
            legend="{{app_type}}",
        ),
        Panel(
            title="Tasks at work", expression=_sum(exported.TASKS_ACTIVE, "application_name"), legend=_APPLICATION
        ),
        Panel(
            title="Tasks that failed", expression=grown(exported.TASKS_FAILED, "application_name"),
            legend=_APPLICATION,
        ),
        Panel(
            title="Share of the work that is collecting garbage",
            expression=_COLLECTING + _per_second(exported.TASK_SECONDS, "application_name"),
            legend=_APPLICATION, unit="percentunit",
        ),
        Panel(
            title="Heap in use", expression=_most(exported.HEAP, "application_name, executor_id"),
            legend="{{application_name}} {{executor_id}}", unit="bytes",
        ),
        Panel(
            title="Shuffled", expression=_per_second(exported.SHUFFLED, "application_name"), legend=_APPLICATION,
            unit="Bps",
        ),
    ),
)  # fmt: skip
KAFKA = Dashboard(
    uid="headwater-kafka",
    title="Headwater: Kafka",
    panels=(
        Panel(title="Messages in", expression=_topics_per_second(exported.MESSAGES_IN), legend="{{topic}}"),
        Panel(title="Bytes in", expression=_topics_per_second(exported.BYTES_IN), legend="{{topic}}", unit="Bps"),
        Panel(title="Bytes out", expression=_topics_per_second(exported.BYTES_OUT), legend="{{topic}}", unit="Bps"),
        Panel(title="Size of topics", expression=_sum(exported.TOPIC_SIZE, "topic"), legend="{{topic}}", unit="bytes"),
        Panel(
            title="Partitions short of copies", expression=_sum(exported.UNDER_REPLICATED, "pod"), legend="{{pod}}"
        ),
        Panel(
            title="Partitions offline", expression=f"max({exported.OFFLINE_PARTITIONS.prometheus})",
            legend="partitions",
        ),
    ),
)  # fmt: skip
MINIO = Dashboard(
    uid="headwater-minio",
    title="Headwater: MinIO",
    panels=(
        Panel(
            title="Share that is free",
            expression=f"min({exported.STORE_FREE.prometheus} / {exported.STORE_TOTAL.prometheus})",
            legend="free", unit="percentunit",
        ),
        Panel(title="Drives offline", expression=f"max({exported.DRIVES_OFFLINE.prometheus})", legend="drives"),
        Panel(title="Healthy", expression=f"min({exported.STORE_HEALTH.prometheus})", legend="1: all is"),
        Panel(title="Requests", expression=_per_second(exported.STORE_REQUESTS, "api"), legend="{{api}}", unit="reqps"),
        Panel(title="Errors", expression=_per_second(exported.STORE_ERRORS, "api"), legend="{{api}}", unit="reqps"),
        Panel(title="Requests waiting", expression=_most(exported.STORE_WAITING, "server"), legend="{{server}}"),
        Panel(title="Sent", expression=_per_second(exported.STORE_SENT, "server"), legend="{{server}}", unit="Bps"),
        Panel(
            title="Received", expression=_per_second(exported.STORE_RECEIVED, "server"), legend="{{server}}",
            unit="Bps",
        ),
    ),
)  # fmt: skip
POSTGRES = Dashboard(
    uid="headwater-postgres",
    title="Headwater: PostgreSQL",
    panels=(
        Panel(title="Instances up", expression=_sum(exported.DATABASE_UP, "cluster"), legend="{{cluster}}"),
        Panel(title="Sessions", expression=_sum(exported.SESSIONS, "datname"), legend="{{datname}}"),
        Panel(
            title="Oldest transaction", expression=_most(exported.LONGEST_TRANSACTION, "datname, usename"),
            legend="{{datname}} {{usename}}", unit="s",
        ),
        Panel(
            title="Sessions waiting for a lock", expression=f"sum({exported.SESSIONS_WAITING.prometheus})",
            legend="sessions",
        ),
        Panel(title="Commits", expression=_per_second(exported.COMMITS, "datname"), legend="{{datname}}", unit="ops"),
        Panel(
            title="Size", expression=_most(exported.DATABASE_SIZE, "datname"), legend="{{datname}}", unit="bytes"
        ),
        Panel(
            title="Transactions not frozen", expression=_most(exported.TRANSACTIONS_UNFROZEN, "datname"),
            legend="{{datname}}",
        ),
        Panel(title="Replicas behind", expression=_most(exported.REPLICATION_LAG, "pod"), legend="{{pod}}", unit="s"),
        Panel(title="Replicas that follow", expression=f"max({exported.REPLICAS.prometheus})", legend="replicas"),
        Panel(
            title="Since the log was archived", expression=f"max({exported.SINCE_ARCHIVED.prometheus})",
            legend="seconds", unit="s",
        ),
        Panel(
            title="Since the last base backup", expression=f"time() - max({exported.LAST_BACKUP.prometheus})",
            legend="seconds", unit="s",
        ),
    ),
)  # fmt: skip
PLATFORM_DASHBOARDS = (SPARK, KAFKA, MINIO, POSTGRES)
