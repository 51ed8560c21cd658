"""One stage as a Spark application of its own, for ``spark-submit``: what ``spark_stages.py`` compares with.

    spark-submit --properties-file … benchmarks/submitted_stage.py --job job.json --result result.json

The same job by the same code, over a classic session in this process; as ``run_job``, tables side by side.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pyspark.sql import SparkSession

from headwater.domain.job import JobResult, JobSpec, TableResult
from headwater_spark.entrypoints.run_job import TABLES_AT_ONCE, Work, work_of


def main() -> None:
    """Read the job, do it, write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job", type=Path, required=True)
    parser.add_argument("--result", type=Path, required=True)
    options = parser.parse_args()
    started = time.monotonic()
    job = JobSpec.model_validate_json(options.job.read_text())
    spark = SparkSession.builder.getOrCreate()

    def one(work: Work) -> TableResult:
        return work[1](spark.newSession())

    with ThreadPoolExecutor(max_workers=1 if job.kind == "validate" else TABLES_AT_ONCE) as pool:
        tables = tuple(pool.map(one, work_of(job)))
    seconds = time.monotonic() - started
    result = JobResult(kind=job.kind, run_key=job.run_key, attempt=job.attempt, tables=tables, seconds=seconds)
    options.result.write_text(result.model_dump_json(by_alias=True))
    spark.stop()


if __name__ == "__main__":
    main()
