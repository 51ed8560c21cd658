"""One Spark job as an application of its own: what spark-submit and the Spark operator start (ADR 22).

Job and answer are in the folder that tasks and drivers share. A driver works only while that folder's claim names its
attempt: when a task gave it up, or another attempt began, it ends by itself, wherever it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from headwater.adapters.connections.environment import EnvironmentConnections
from headwater.adapters.connections.masking import masking_key
from headwater.adapters.java_trust import TRUST_STORE, trust_options, write_trust_store
from headwater.adapters.spark_applications.exchange import Exchange
from headwater.adapters.spark_applications.properties import LAKE
from headwater.domain.errors import EngineError
from headwater.domain.job import JobResult, JobSpec
from headwater.domain.masking import MASKING_PROPERTY, MASKING_VARIABLE
from headwater_spark.entrypoints.run_job import answer, result_of, tables_at_once, work_of

NOT_CLAIMED_EXIT = 76
"""Exit status of a driver whose attempt nobody waits for."""
CLAIM_SECONDS = 5.0
SECRETS = {
    "HEADWATER_CATALOG_JDBC_URI": "uri",
    "HEADWATER_CATALOG_USER": "jdbc.user",
    "HEADWATER_CATALOG_PASSWORD": "jdbc.password",
}
"""Variable -> property of the catalog, where a cluster gives secrets by environment (rule 42)."""


def open_application() -> SparkSession:
    """The application's session, its configuration completed by what only the environment holds."""
    builder = SparkSession.builder
    for variable, name in SECRETS.items():
        if os.environ.get(variable):
            builder = builder.config(f"{LAKE}.{name}", os.environ[variable])
    session: SparkSession = builder.getOrCreate()
    return session


def trust(spark: SparkSession, ca_file: Path, folder: Path) -> None:
    """Have driver and executors trust who signed the certificate of the warehouse's store; before anything asks it.

    :param ca_file: where this driver finds it; executors need not.
    :param folder: of this driver's own, as long as it works.
    :raises EngineError: when it is not there, or holds no certificate.
    """
    context, store = spark.sparkContext, folder / TRUST_STORE
    java: Any = context._jvm  # noqa: SLF001 - the driver's own Java
    system = java.java.lang.System
    write_trust_store(Path(system.getProperty("java.home")), ca_file, store)
    for name, value in trust_options(store).items():
        system.setProperty(name, value)
    context.addFile(store.as_uri())


def run_application(spark: SparkSession, job: JobSpec) -> JobResult:
    """Do all tables of the job, each in a session of its own."""
    started = time.monotonic()
    with ThreadPoolExecutor(max_workers=tables_at_once(job)) as pool:
        done = tuple(pool.map(lambda work: result_of(spark.newSession(), *work), work_of(job)))
    return answer(job, done, time.monotonic() - started)


def await_executors(spark: SparkSession, seconds: float) -> None:
    """Wait for the first executor. :raises EngineError: when none comes: Spark itself would wait for ever."""
    context = spark.sparkContext
    if (context.master or "").startswith("local"):
        return
    java, deadline = context._jsc.sc(), time.monotonic() + seconds  # noqa: SLF001 - nothing else tells
    while java.getExecutorMemoryStatus().size() < 2:  # the driver is one
        if time.monotonic() > deadline:
            raise EngineError(f"no executor came within {seconds:.0f} s", got=context.master)
        time.sleep(0.2)


def end_unless_claimed(exchange: Exchange, attempt: str, done: threading.Event) -> None:
    """End this process as soon as its attempt is no longer the one that may work."""
    while not done.wait(CLAIM_SECONDS):
        try:
            claimed = _is_claimed(exchange, attempt)
        except OSError as error:  # a storage that is away for a moment takes nobody's claim
            sys.stderr.write(f"the claim could not be read: {error}\n")
            continue
        if not claimed:
            sys.stderr.write("nobody waits for this attempt any more\n")
            sys.stderr.flush()
            os._exit(NOT_CLAIMED_EXIT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the job, do it, answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("exchange", "key", "attempt", "masking-connection"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--executors-within-seconds", type=float, required=True)
    parser.add_argument("--ca-file", type=Path)
    options = parser.parse_args(arguments)
    exchange, done = Exchange.of(options.exchange, options.key), threading.Event()
    job = exchange.job(options.attempt)
    watch = threading.Thread(target=end_unless_claimed, args=(exchange, options.attempt, done), daemon=True)
    watch.start()
    result = _worked(job, options, exchange)
    done.set()
    if not _is_claimed(exchange, options.attempt):
        return NOT_CLAIMED_EXIT
    exchange.answer(options.attempt, result)
    return 0


def _worked(job: JobSpec, options: argparse.Namespace, exchange: Exchange) -> JobResult:
    with tempfile.TemporaryDirectory(prefix="headwater-driver-") as folder:
        spark = open_application()
        try:
            _take_masking_key(job, spark, options.masking_connection)
            if options.ca_file is not None:
                trust(spark, options.ca_file, Path(folder))
            if _is_claimed(exchange, options.attempt):  # else its folder is gone, and would come back
                exchange.begin(options.attempt)
            await_executors(spark, options.executors_within_seconds)
            return run_application(spark, job)
        finally:
            spark.stop()  # closes the event log


def _is_claimed(exchange: Exchange, attempt: str) -> bool:
    claim = exchange.claim()
    return claim is not None and claim.attempt == attempt


def _take_masking_key(job: JobSpec, spark: SparkSession, connection_id: str) -> None:
    """The key is in this environment, in the application's properties, or in a connection of this environment."""
    if not job.masks or MASKING_VARIABLE in os.environ:
        return
    given = spark.conf.get(MASKING_PROPERTY, None)
    if given is None:
        key = masking_key(EnvironmentConnections(), connection_id)
        given = json.dumps({"version": key.version, "key": key.key.get_secret_value()})
    os.environ[MASKING_VARIABLE] = given


if __name__ == "__main__":
    sys.exit(main())
