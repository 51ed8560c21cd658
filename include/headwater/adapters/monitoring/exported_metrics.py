"""Metrics of what Headwater stands on, by the names its own exporters give them; the guide says which were seen.

Spark's are held against a Spark that runs, its operator's by ``make operators-test`` against that, Kafka's against what
our brokers are told to report (tests of the names).
"""

from __future__ import annotations

from typing import Literal

from headwater.domain.base import Value

Exporter = Literal["Spark driver", "Spark operator", "Kafka", "MinIO", "PostgreSQL"]


class ExportedMetric(Value):
    """A metric as Prometheus finds it.

    :param labels: those that queries of ours may use; Prometheus adds where it was found (``namespace``, ``pod``).
    """

    prometheus: str
    kind: Literal["counter", "gauge"]
    labels: tuple[str, ...]
    exporter: Exporter
    help: str


def _metric(
    exporter: Exporter, kind: Literal["counter", "gauge"], name: str, help_: str, *labels: str
) -> ExportedMetric:
    return ExportedMetric(prometheus=name, kind=kind, labels=labels, exporter=exporter, help=help_)


_OF_EXECUTOR = ("application_id", "application_name", "executor_id")
TASKS_ACTIVE = _metric(
    "Spark driver", "gauge", "metrics_executor_activeTasks", "Tasks an executor works at.", *_OF_EXECUTOR
)
TASKS_FAILED = _metric(
    "Spark driver", "counter", "metrics_executor_failedTasks_total", "Tasks that failed on an executor.", *_OF_EXECUTOR
)
TASK_SECONDS = _metric(
    "Spark driver", "counter", "metrics_executor_totalDuration_seconds_total",
    "Time an executor worked at tasks.", *_OF_EXECUTOR,
)  # fmt: skip
GC_SECONDS = _metric(
    "Spark driver", "counter", "metrics_executor_totalGCTime_seconds_total",
    "Time an executor's Java collected garbage.", *_OF_EXECUTOR,
)  # fmt: skip
HEAP = _metric("Spark driver", "gauge", "metrics_executor_JVMHeapMemory_bytes", "Heap an executor uses.", *_OF_EXECUTOR)
SHUFFLED = _metric(
    "Spark driver", "counter", "metrics_executor_totalShuffleWrite_bytes_total",
    "Bytes an executor wrote for others.", *_OF_EXECUTOR,
)  # fmt: skip
APPLICATIONS_RUNNING = _metric(
    "Spark operator", "gauge", "spark_application_running_count", "Spark applications at work.", "app_type"
)
APPLICATIONS_SUCCEEDED = _metric(
    "Spark operator", "counter", "spark_application_success_count", "Spark applications that ended well.", "app_type"
)
APPLICATIONS_FAILED = _metric(
    "Spark operator", "counter", "spark_application_failure_count", "Spark applications that failed.", "app_type"
)
MESSAGES_IN = _metric(
    "Kafka", "counter", "kafka_server_brokertopicmetrics_messagesinpersec_total", "Messages a broker took.", "topic"
)
BYTES_IN = _metric(
    "Kafka", "counter", "kafka_server_brokertopicmetrics_bytesinpersec_total", "Bytes a broker took.", "topic"
)
BYTES_OUT = _metric(
    "Kafka", "counter", "kafka_server_brokertopicmetrics_bytesoutpersec_total", "Bytes a broker gave.", "topic"
)
UNDER_REPLICATED = _metric(
    "Kafka", "gauge", "kafka_server_replicamanager_underreplicatedpartitions",
    "Partitions with fewer copies in step than they should have.",
)  # fmt: skip
OFFLINE_PARTITIONS = _metric(
    "Kafka", "gauge", "kafka_controller_kafkacontroller_offlinepartitionscount",
    "Partitions that nobody can read or write.",
)  # fmt: skip
TOPIC_SIZE = _metric("Kafka", "gauge", "kafka_log_log_size", "Bytes of a partition on a broker.", "topic", "partition")
STORE_FREE = _metric("MinIO", "gauge", "minio_cluster_capacity_usable_free_bytes", "Bytes that can still be stored.")
STORE_TOTAL = _metric("MinIO", "gauge", "minio_cluster_capacity_usable_total_bytes", "Bytes that can be stored in all.")
DRIVES_OFFLINE = _metric("MinIO", "gauge", "minio_cluster_drive_offline_total", "Drives that do not answer.")
STORE_HEALTH = _metric("MinIO", "gauge", "minio_cluster_health_status", "1 while all data can be read and written.")
STORE_REQUESTS = _metric("MinIO", "counter", "minio_s3_requests_total", "Requests.", "server", "api")
STORE_ERRORS = _metric(
    "MinIO", "counter", "minio_s3_requests_5xx_errors_total", "Requests the store failed at.", "server", "api"
)
STORE_WAITING = _metric("MinIO", "gauge", "minio_s3_requests_waiting_total", "Requests that wait.", "server")
STORE_SENT = _metric("MinIO", "counter", "minio_s3_traffic_sent_bytes", "Bytes sent.", "server")
STORE_RECEIVED = _metric("MinIO", "counter", "minio_s3_traffic_received_bytes", "Bytes received.", "server")
DATABASE_UP = _metric("PostgreSQL", "gauge", "cnpg_collector_up", "1 while an instance answers.", "cluster")
SESSIONS = _metric(
    "PostgreSQL", "gauge", "cnpg_backends_total", "Sessions.", "datname", "usename", "application_name", "state"
)
LONGEST_TRANSACTION = _metric(
    "PostgreSQL", "gauge", "cnpg_backends_max_tx_duration_seconds", "Age of the oldest transaction.",
    "datname", "usename", "application_name", "state",
)  # fmt: skip
SESSIONS_WAITING = _metric(
    "PostgreSQL", "gauge", "cnpg_backends_waiting_total", "Sessions that wait for another's lock."
)
DATABASE_SIZE = _metric("PostgreSQL", "gauge", "cnpg_pg_database_size_bytes", "Bytes of a database on disk.", "datname")
TRANSACTIONS_UNFROZEN = _metric(
    "PostgreSQL", "gauge", "cnpg_pg_database_xid_age",
    "Transactions since the oldest that is not frozen; at two billion the database stops.", "datname",
)  # fmt: skip
REPLICATION_LAG = _metric("PostgreSQL", "gauge", "cnpg_pg_replication_lag", "Seconds a replica is behind.")
REPLICAS = _metric("PostgreSQL", "gauge", "cnpg_pg_replication_streaming_replicas", "Replicas that follow an instance.")
ARCHIVE_FAILED = _metric(
    "PostgreSQL", "counter", "cnpg_pg_stat_archiver_failed_count", "Tries to archive the log that failed."
)
SINCE_ARCHIVED = _metric(
    "PostgreSQL", "gauge", "cnpg_pg_stat_archiver_seconds_since_last_archival",
    "Seconds since the log was archived; -1: never.",
)  # fmt: skip
LAST_BACKUP = _metric(
    "PostgreSQL", "gauge", "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp",
    "When the newest base backup was made, in seconds since 1970; 0: none is known.",
)  # fmt: skip
COMMITS = _metric("PostgreSQL", "counter", "cnpg_pg_stat_database_xact_commit", "Transactions committed.", "datname")
EXPORTED_METRICS = (
    TASKS_ACTIVE, TASKS_FAILED, TASK_SECONDS, GC_SECONDS, HEAP, SHUFFLED, APPLICATIONS_RUNNING,
    APPLICATIONS_SUCCEEDED, APPLICATIONS_FAILED, MESSAGES_IN, BYTES_IN, BYTES_OUT, UNDER_REPLICATED,
    OFFLINE_PARTITIONS, TOPIC_SIZE, STORE_FREE, STORE_TOTAL, DRIVES_OFFLINE, STORE_HEALTH, STORE_REQUESTS,
    STORE_ERRORS, STORE_WAITING, STORE_SENT, STORE_RECEIVED, DATABASE_UP, SESSIONS, LONGEST_TRANSACTION,
    SESSIONS_WAITING, DATABASE_SIZE, TRANSACTIONS_UNFROZEN, REPLICATION_LAG, REPLICAS, ARCHIVE_FAILED, SINCE_ARCHIVED,
    LAST_BACKUP, COMMITS,
)  # fmt: skip
