"""One Spark job of a Connect server: ``main(["--job", "job.json", "--result", "result.json"])``.

It is forked from a process that called ``preload`` (``headwater.adapters.spark_connect.job_forks``). The server's
address comes in ``HEADWATER_SPARK_REMOTE``. Tables run in parallel, each in a session of its own; one that fails is a
result and stops no other. The result is written whole or not at all.
"""

from __future__ import annotations

import argparse
import atexit
import importlib
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from pyspark.sql import SparkSession

from headwater.domain.errors import SpecError
from headwater.domain.job import JobResult, JobSpec, TableResult
from headwater.domain.names import TableName
from headwater_spark.entrypoints.explain import failed, spoken

TABLES_AT_ONCE = 4
ENGINE_SILENT_EXIT = 75
"""Exit status of a job whose server took the connection and never answered."""
SILENCE_SECONDS = 120.0
REMOTE_VARIABLE = "HEADWATER_SPARK_REMOTE"

_OF_EVERY_KIND = (
    "headwater_spark.entrypoints.refine",
    "headwater_spark.entrypoints.build_gold",
    "headwater_spark.entrypoints.preflight",
    "headwater_spark.entrypoints.maintain",
    "headwater_spark.gate.validate",
    "soda_core.contracts",
    "soda_sparkdf.common.data_sources.sparkdf_data_source",
    "pyspark.sql.connect.session",
)

Work = tuple[TableName, Callable[[SparkSession], TableResult]]


def preload() -> None:
    """Import what jobs of every kind need, for processes forked from this one."""
    for module in _OF_EVERY_KIND:
        importlib.import_module(module)


def open_session(remote: str) -> SparkSession:
    """A session of its own on the server, so that what one table sets no other sees."""
    session: SparkSession = SparkSession.builder.remote(remote).create()
    # the client looks for checkpoints in the active session, and a thread keeps its first one as that
    type(session)._active_session.session = session  # type: ignore[attr-defined]  # noqa: SLF001
    # at its end a process would ask each server for models to clean up, for minutes when the server is gone
    atexit.unregister(session.client._cleanup_ml_cache)  # type: ignore[operator]  # noqa: SLF001
    session.conf.set("spark.sql.session.timeZone", "UTC")
    return session


def work_of(job: JobSpec) -> list[Work]:
    """The tables of a job and what is to be done with each. Imports only what this kind of job needs."""
    if job.kind == "refine":
        from headwater_spark.entrypoints.refine import refine_table

        return [(table.silver, partial(refine_table, job=job, table=table)) for table in job.refine]
    if job.kind == "build_gold":
        from headwater_spark.entrypoints.build_gold import build_table

        return [(table.gold, partial(build_table, job=job, table=table)) for table in job.build]
    if job.kind == "validate":
        from headwater_spark.gate.validate import validate_table

        return [(table.table, partial(validate_table, table=table)) for table in job.validate_]
    if job.kind == "preflight":
        from headwater_spark.entrypoints.preflight import preflight_table

        return [(table.table, partial(preflight_table, table=table)) for table in job.preflight]
    if job.kind == "maintain":
        from headwater_spark.entrypoints.maintain import maintain_table

        return [(table.table, partial(maintain_table, table=table)) for table in job.maintain]
    raise SpecError("no such kind of job", got=job.kind, allowed="refine, build_gold, validate, preflight, maintain")


def run_job(job: JobSpec, remote: str) -> JobResult:
    """Do all tables of the job."""
    started = time.monotonic()
    sessions: list[SparkSession] = []
    _end_when_silent(sessions)
    try:
        with ThreadPoolExecutor(max_workers=tables_at_once(job)) as pool:
            results = tuple(pool.map(lambda work: _run_table(remote, sessions, *work), work_of(job)))
    finally:
        # not one by one: closing a session waits for a lock that the others' finished queries need, and both hang
        for session in sessions:
            session.client.release_session()  # type: ignore[operator]
    return answer(job, results, time.monotonic() - started)


def answer(job: JobSpec, tables: tuple[TableResult, ...], seconds: float) -> JobResult:
    """The answer to a job."""
    return JobResult(kind=job.kind, run_key=job.run_key, attempt=job.attempt, tables=tables, seconds=seconds)


def tables_at_once(job: JobSpec) -> int:
    """Soda freezes the clock of the whole process while it fetches, so its tables go one after the other."""
    return 1 if job.kind == "validate" else TABLES_AT_ONCE


def _end_when_silent(sessions: list[SparkSession]) -> None:
    """End this process when the server gives no session at all: a hung server holds its port and answers nobody."""

    def give_up() -> None:
        if not sessions:
            os._exit(ENGINE_SILENT_EXIT)

    timer = threading.Timer(SILENCE_SECONDS, give_up)
    timer.daemon = True
    timer.start()


def _run_table(
    remote: str, sessions: list[SparkSession], table: TableName, work: Callable[[SparkSession], TableResult]
) -> TableResult:
    session = open_session(remote)
    sessions.append(session)
    return result_of(session, table, work)


def result_of(session: SparkSession, table: TableName, work: Callable[[SparkSession], TableResult]) -> TableResult:
    """Do one table and say its line. :raises EngineLostError: when not the table but the engine failed."""
    started = time.monotonic()
    try:
        result = work(session)
    except Exception as error:  # noqa: BLE001 - the border of a table: whatever failed becomes its result
        result = failed(table, error)
    result = result.model_copy(update={"seconds": round(time.monotonic() - started, 3)})
    sys.stdout.write(spoken(result) + "\n")
    sys.stdout.flush()
    return result


def main(arguments: Sequence[str]) -> int:
    """Read the job, do it, write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job", type=Path, required=True)
    parser.add_argument("--result", type=Path, required=True)
    options = parser.parse_args(arguments)
    job = JobSpec.model_validate_json(options.job.read_text())
    result = run_job(job, os.environ[REMOTE_VARIABLE])
    fresh = options.result.with_suffix(".new")
    fresh.write_text(result.model_dump_json(by_alias=True))
    fresh.replace(options.result)
    return 0
