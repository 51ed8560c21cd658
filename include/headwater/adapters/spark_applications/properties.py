"""Properties that every application of a stage has, wherever it runs."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from headwater.adapters.java_options import as_arguments
from headwater.adapters.java_trust import TRUST_STORE, trust_options
from headwater.adapters.spark_applications.exchange import exchange_location
from headwater.adapters.spark_properties import catalog_properties, planning_properties
from headwater.domain.names import CATALOG
from headwater.domain.settings import Settings

LAKE = f"spark.sql.catalog.{CATALOG}"
REDACTED = "(?i)secret|password|token|access[.-]?key|masking|jdbc[.]user"
"""Names of properties and variables whose values Spark leaves out of its pages and event logs."""


def application_properties(settings: Settings, key: str, attempt: str) -> dict[str, str]:
    """What may be read by anyone: in a manifest, in arguments.

    :param key: of the job (``exchange.job_key``).
    """
    spark = settings.spark
    properties = {
        "spark.driver.extraJavaOptions": "-Duser.timezone=UTC",
        "spark.executor.extraJavaOptions": "-Duser.timezone=UTC",
        "spark.redaction.regex": REDACTED,
        "spark.ui.showConsoleProgress": "false",
        **planning_properties(spark),
        **{name: value for name, value in catalog_properties(settings.catalog).items() if not _is_secret(name)},
    }
    if spark.event_log is not None:
        properties |= {"spark.eventLog.enabled": "true", "spark.eventLog.dir": spark.event_log}
    s3 = settings.catalog.s3
    if s3 is not None and s3.ca_file is not None:
        # made by the driver, which hands it to executors: it lies in the folder they work in before their first task
        properties["spark.executor.defaultJavaOptions"] = as_arguments(trust_options(TRUST_STORE))
    return properties | _checkpoints(settings, key, attempt)


def lake_secrets(settings: Settings) -> dict[str, str]:
    """Where the catalog's database is, as whom, and the keys of a store: may hold a password."""
    return {name: value for name, value in catalog_properties(settings.catalog).items() if _is_secret(name)}


def _is_secret(name: str) -> bool:
    return name == f"{LAKE}.uri" or re.search(REDACTED, name) is not None


def _checkpoints(settings: Settings, key: str, attempt: str) -> dict[str, str]:
    """Rows that must outlive an executor go beside the job, if Spark's own file systems know that place.

    Else they live in the executors only, and losing one costs the try (``headwater_spark.tables.views.settled``).
    """
    location = exchange_location(settings)
    known = urlsplit(location).scheme in {"", "file", "hdfs"}
    return {"spark.checkpoint.dir": f"{location}/{key}/{attempt}/rows"} if known else {}
