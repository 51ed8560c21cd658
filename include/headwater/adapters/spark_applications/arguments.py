"""What a driver is told when it is started: places and names, no secret."""

from __future__ import annotations

from headwater.adapters.spark_applications.exchange import Exchange
from headwater.domain.settings import Settings


def driver_arguments(settings: Settings, exchange: Exchange, attempt: str) -> dict[str, str]:
    """Arguments of ``headwater_spark.entrypoints.run_application``."""
    s3 = settings.catalog.s3
    trusted = {"ca-file": s3.ca_file} if s3 is not None and s3.ca_file is not None else {}
    return {
        "exchange": exchange.location,
        "key": exchange.key,
        "attempt": attempt,
        "executors-within-seconds": str(int(settings.spark.start_timeout.total_seconds())),
        "masking-connection": settings.masking_connection,
        **trusted,
    }
