"""What Prometheus alerts of in the parts Headwater stands on: what loses data or stops everybody, and little else."""

from __future__ import annotations

from headwater.adapters.monitoring import exported_metrics as exported
from headwater.adapters.monitoring.queries import growth
from headwater.adapters.monitoring.rules import Rule

STORE_SCRAPED = 'up{job="headwater-minio"}'
"""Whether MinIO answered the scrape: its chart calls the job after the service. Elsewhere there is no such series."""


def _vanished(series: str, *by: str) -> str:
    """What sent ``series`` within the last hour and sends it no more: a gauge of a pod ends with the pod, at no 0.

    It is told for an hour, so that one taken away on purpose is not missed for ever.
    """
    over = f"max by ({', '.join(by)})" if by else "max"
    return f"{over} (last_over_time({series}[1h])) unless {over} ({series})"


PLATFORM_RULES = (
    Rule(
        name="PostgresDown",
        expression=f"{exported.DATABASE_UP.prometheus} == 0 or {_vanished(exported.DATABASE_UP.prometheus, 'pod')}",
        holds="2m",
        severity="page",
        summary="The database on {{ $labels.pod }} does not answer, or is gone.",
        action="If it is the primary, a replica takes over by itself; see that one did, and why this one went.",
        runbook="backup-and-restore.md",
    ),
    Rule(
        name="PostgresLogNotArchived",
        expression=f"increase({exported.ARCHIVE_FAILED.prometheus}[15m]) > 0",
        holds="15m",
        severity="page",
        summary="The log does not get to the archive: what a disaster would lose grows, and so does the disk.",
        action="Look at the backup store's address, key and space.",
        runbook="backup-and-restore.md",
    ),
    Rule(
        name="PostgresBackupOld",
        # of all pods: a restored cluster has none at first. Held so long because an ObjectStore that is made anew, as
        # the chart's hook asks, knows of no backup until the plugin looks again, which it does every half hour
        expression=f"time() - max({exported.LAST_BACKUP.prometheus}) > 26 * 3600",
        holds="1h",
        severity="ticket",
        summary="No base backup was made since yesterday: a restore would take longer, and one day have none.",
        action="`kubectl get backups -n headwater-data` says why; take one by hand when it is mended.",
        runbook="backup-and-restore.md",
    ),
    Rule(
        name="PostgresReplicaBehind",
        expression=f"{exported.REPLICATION_LAG.prometheus} > 60",
        holds="10m",
        severity="ticket",
        summary="The replica {{ $labels.pod }} is more than a minute behind: a failover would lose it.",
        action="Look at its disk and network, and for a long transaction.",
        runbook="backup-and-restore.md",
    ),
    Rule(
        name="PostgresTransactionsRunOut",
        expression=f"max by (datname) ({exported.TRANSACTIONS_UNFROZEN.prometheus}) > 1e9",
        holds="1h",
        severity="ticket",
        summary="{{ $labels.datname }} has a billion transactions that are not frozen; at two it stops.",
        action="Find what holds vacuum back: an old transaction, a slot nobody reads, a prepared transaction.",
    ),
    Rule(
        name="StoreUnhealthy",
        # of all series: any node may answer a scrape, and each puts its own name to the whole cluster's state
        expression=f"{_vanished(STORE_SCRAPED)} or min({exported.STORE_HEALTH.prometheus} or {STORE_SCRAPED}) == 0",
        holds="2m",
        severity="page",
        summary="The object store does not answer or has lost its quorum: tables cannot be read or written.",
        action="Bring its nodes and drives back. Stages that failed meanwhile are tried again.",
        runbook="storage.md",
    ),
    Rule(
        name="StoreDrivesOffline",
        expression=f"max({exported.DRIVES_OFFLINE.prometheus}) > 0",
        holds="10m",
        severity="ticket",
        summary="{{ $value }} drives of the object store do not answer.",
        action="Replace them before more go than the parity bears.",
        runbook="storage.md",
    ),
    Rule(
        name="StoreAlmostFull",
        expression=f"min({exported.STORE_FREE.prometheus} / {exported.STORE_TOTAL.prometheus}) < 0.15",
        holds="30m",
        severity="ticket",
        summary="Less than 15 % of the object store is free.",
        action="See when maintenance ran and what `retention` keeps; then add drives.",
        runbook="maintenance.md",
    ),
    Rule(
        name="KafkaDown",
        # one of several that is gone leaves its partitions short of copies, which the others tell
        expression=_vanished(exported.UNDER_REPLICATED.prometheus),
        holds="5m",
        severity="page",
        summary="No Kafka broker gives a sign of life: changes of its sources do not arrive.",
        action="Bring the brokers back. Nothing is lost while the sources keep their logs.",
    ),
    Rule(
        name="KafkaPartitionsOffline",
        expression=f"{exported.OFFLINE_PARTITIONS.prometheus} > 0",
        holds="5m",
        severity="page",
        summary="{{ $value }} partitions have no leader: changes of their sources do not arrive.",
        action="Bring the brokers back. Nothing is lost while the sources keep their logs.",
    ),
    Rule(
        name="KafkaPartitionsShortOfCopies",
        expression=f"{exported.UNDER_REPLICATED.prometheus} > 0",
        holds="30m",
        severity="ticket",
        summary="Partitions on {{ $labels.pod }} have had too few copies for half an hour.",
        action="A broker is down or slow: look at its disk.",
    ),
    Rule(
        name="SparkApplicationsFail",
        expression=f"sum({growth(exported.APPLICATIONS_FAILED.prometheus, '1h')}) > 4",
        holds="10m",
        severity="ticket",
        summary="More than four Spark applications failed within an hour.",
        action="`kubectl describe sparkapplication`, and the log of a driver: image, rights, memory.",
        runbook="engines.md",
    ),
)
