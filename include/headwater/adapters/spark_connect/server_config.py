"""The configuration of the Connect server, as tried (catalog in Postgres, Iceberg branches, UTC)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from headwater.adapters.java_options import as_arguments
from headwater.adapters.java_trust import TRUST_STORE, trust_options
from headwater.adapters.spark_properties import catalog_properties, planning_properties
from headwater.domain.settings import Settings

# one slow query must not hold back the others: all jobs share the slots fairly
POOLS = """<?xml version="1.0"?>
<allocations>
  <pool name="default"><schedulingMode>FAIR</schedulingMode><weight>1</weight><minShare>0</minShare></pool>
</allocations>
"""

SHORT_JOBS_JVM = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC -Xss4m"
"""For a machine of few cores and jobs of seconds: planning runs once, so compiling it to the last bit is never paid
back (ADR 3). With one compiler the JVM would reserve 48 MB for code, which Spark fills in minutes. The executors of a
cluster do not get these."""


def server_properties(settings: Settings, port: int, token: str, folder: Path, jars: Sequence[Path]) -> dict[str, str]:
    """Every property of the server. Holds secrets: written only to a file of mode 0600."""
    spark, catalog = settings.spark, settings.catalog
    temporary = folder / "tmp"
    java = {"user.timezone": "UTC", "java.io.tmpdir": str(temporary)}
    if catalog.s3 is not None and catalog.s3.ca_file is not None:
        # for the store's certificate only: the database's is verified by the authorities that `tls` names
        java |= trust_options(folder / TRUST_STORE)
    properties = {
        "spark.master": spark.master,
        "spark.driver.memory": spark.driver_memory,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": f"{SHORT_JOBS_JVM} {as_arguments(java)}",
        "spark.local.dir": str(temporary),
        # not spark.jars: every Connect session would copy them over RPC and load all their classes again
        "spark.driver.extraClassPath": ":".join(str(jar) for jar in jars),
        "spark.ui.enabled": "false",
        # a session's connection to the catalog's database is closed by nobody: it ends when it is collected as garbage
        "spark.cleaner.periodicGC.interval": "30s",
        # read as a path of Hadoop's, which takes what stands there by its letters and decodes nothing
        "spark.scheduler.allocation.file": f"file:{folder / 'pools.xml'}",
        "spark.sql.warehouse.dir": str(folder / "unused_warehouse"),
        # read by the plugin only: Spark's own server would turn it on, whatever is said here
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.sql.artifact.isolation.enabled": "false",
        "spark.sql.artifact.isolation.alwaysApplyClassloader": "false",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.connect.authenticate.token": token,
    }
    return properties | planning_properties(spark) | catalog_properties(catalog)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, at once and never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)


def render_properties(properties: dict[str, str]) -> str:
    """The form of a Java properties file, with what it would misread escaped."""
    escaped = {key: value.replace("\\", "\\\\").replace("\n", "\\n") for key, value in properties.items()}
    return "".join(f"{key} {value}\n" for key, value in escaped.items())
