"""Postgres to committed bronze, against ``COPY … TO STDOUT`` to /dev/null of the same rows over one connection.

    uv run --with 'dlt[parquet]==1.31.0' --with connectorx==0.4.6 --with psycopg2-binary \
      python benchmarks/extract_postgres.py --rows 5000000 --runs 3 --dlt

Real flights repeated, with an exact decimal fare, and the index on ``updated_at`` that flights has. Runs are
interleaved, each in a process of its own, so that resident memory and CPU seconds are its own; the medians are
compared. The clock of both starts when their libraries are imported and, for ours, the bronze table exists, as it
does in every run but a table's first. It covers plan, extract and commit; the rows of the committed snapshot are
compared afterwards. ``duckdb`` is the ceiling: DuckDB's own scan of the table into Parquet, without bronze columns,
checks or commit. With ``--dlt`` dlt's best path into Parquet files takes its turn, too. Goals: at least 0.85 of COPY,
1.5 of dlt, 600,000 rows per client CPU second, under 400 MB resident.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from dlt_alone import RETURN_TYPES, dlt_alone
from pydantic import SecretStr

from headwater.adapters.duckdb.engine import writer
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.iceberg.catalog import IcebergCatalog
from headwater.adapters.sources.opening import open_extractor
from headwater.adapters.sources.postgres.scanning import one_snapshot
from headwater.cli.demo.source_database import add_months, load_first_month
from headwater.domain.names import Layer, TableName
from headwater.domain.run import RunRequest
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS, TableSchema
from headwater.domain.settings import CatalogSettings
from headwater.domain.spec import Silver, SqlExtract, TableSpec
from headwater.domain.staging import branch_of, new_attempt
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp

REPEAT = """
CREATE TABLE repeated (LIKE flights, fare numeric(12,4));
INSERT INTO repeated SELECT f.*, (f.distance * 0.1137 + n)::numeric(12,4) AS fare
FROM flights f CROSS JOIN generate_series(1, %s) AS n LIMIT %s;
CREATE INDEX ON repeated (updated_at)
"""


def copy_to_nowhere(url: str) -> int:
    """The anchor: text COPY, as psycopg hands it over."""
    with psycopg.connect(url) as session, Path(os.devnull).open("wb") as sink:
        cursor = session.cursor()
        with cursor.copy("COPY (SELECT * FROM repeated) TO STDOUT") as stream:
            sink.writelines(stream)
        return cursor.rowcount


@dataclass(frozen=True)
class Took:
    """What a measured piece of work did and took."""

    rows: int
    seconds: float
    cpu: float


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(work: Callable[[], int]) -> Took:
    """Do it once, by the clock and by this process's CPU."""
    started, used = time.monotonic(), cpu_seconds()
    rows = work()
    return Took(rows, time.monotonic() - started, cpu_seconds() - used)


def extract_to_bronze(url: str, catalog_url: str, warehouse: str) -> Took:
    """Ours: plan, extract, and commit to the attempt's branch."""
    connection = connection_of(url)
    key = ("origin", "time_hour", "carrier", "flight")
    extract = SqlExtract(mode="incremental", cursor="updated_at")
    table = TableSpec(name="repeated", key=key, extract=extract, silver=Silver(mode="upsert"))
    name = TableName(layer=Layer.BRONZE, source="bench", table=f"t{new_attempt()[:8]}")
    catalog = IcebergCatalog(CatalogSettings(uri=SecretStr(catalog_url), jdbc_uri="", warehouse=warehouse))
    before = open_extractor(table, connection)
    offered = before.inspect(table)
    before.close()
    columns = (*(c.model_copy(update={"required": False}) for c in offered.columns), *BRONZE_SYSTEM_COLUMNS)
    head = catalog.create(name, TableSchema(columns=columns))
    stamp = BatchStamp(run_key="i/bench/r", planned_at=datetime.now(UTC), batch=1, attempt=new_attempt())
    branch = branch_of(stamp.attempt)

    import_module("duckdb")

    def work() -> int:
        extractor = open_extractor(table, connection)
        window = extractor.plan(table, None, None, RunRequest(), datetime.now(UTC))
        extracted = extractor.extract(table, window, stamp, head.schema_, f"{head.location}/data")
        catalog.cut_branch(name, branch, head.main)
        catalog.stage_files(name, branch, extracted.files, {"headwater.run-key": stamp.run_key})
        extractor.close()
        return extracted.rows

    took = timed(work)
    staged = catalog.head(name)
    assert staged is not None
    committed = committed_rows(staged.metadata_location, branch)
    assert committed == took.rows, (committed, took.rows)
    catalog.close()
    return took


def committed_rows(metadata: str, branch: str) -> int:
    """Rows of the snapshot on the branch, by the table's own metadata."""
    found = json.loads(Path(metadata.removeprefix("file://")).read_text())
    snapshot = found["refs"][branch]["snapshot-id"]
    [summary] = [one["summary"] for one in found["snapshots"] if one["snapshot-id"] == snapshot]
    return int(summary["total-records"])


def duckdb_alone(url: str) -> Took:
    """The ceiling: the extension's own parallel scan into Parquet files."""
    connection = connection_of(url)
    with writer() as engine, one_snapshot(engine, connection), tempfile.TemporaryDirectory() as folder:
        copy = f"COPY (FROM source.public.repeated) TO '{folder}/files' (FORMAT parquet, PER_THREAD_OUTPUT true)"
        return timed(lambda: int(engine.execute(copy).fetchall()[0][0]))


def connection_of(url: str) -> ConnectionInfo:
    parts = urlsplit(url)
    return ConnectionInfo(
        id="source",
        kind="postgres",
        host=parts.hostname or "",
        port=parts.port,
        login=parts.username or "",
        password=SecretStr(parts.password or ""),
        schema_=parts.path[1:],
    )


def measured(what: str, rows: int) -> None:
    """In the child: do it once and print what it took."""
    url = os.environ["BENCH_SOURCE"]
    if what == "copy":
        took = timed(lambda: copy_to_nowhere(url))
    elif what == "duckdb":
        took = duckdb_alone(url)
    elif what.startswith("dlt"):
        took = dlt_alone(url, url, "repeated", what.removeprefix("dlt-"))
    else:
        took = extract_to_bronze(url, os.environ["BENCH_CATALOG"], os.environ["BENCH_WAREHOUSE"])
    assert took.rows == rows, took
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**asdict(took), "resident_mb": peak}))


def main() -> None:
    """Load, run interleaved, print medians."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=5_000_000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--dlt", action="store_true")
    arguments.add_argument("--child")
    options = arguments.parse_args()
    if options.child:
        measured(options.child, options.rows)
        return
    folder = Path(tempfile.mkdtemp(prefix="headwater-benchmark-"))
    try:
        report(compared(options, folder))
    finally:
        shutil.rmtree(folder)


def compared(options: argparse.Namespace, folder: Path) -> dict[str, list[dict[str, float]]]:
    """Results of every run, of both."""
    with EmbeddedPostgres(folder, durable=False) as server, tempfile.TemporaryDirectory() as warehouse:
        server.create_databases(["source", "catalog"])
        with psycopg.connect(server.url("source"), autocommit=True) as session:
            load_first_month(session)
            if options.rows > 27_004:
                add_months(session, range(2, 13))
            session.execute((REPEAT % (options.rows // 27_004 + 1, options.rows)).encode())
            session.execute("VACUUM ANALYZE repeated")
        names = {"BENCH_SOURCE": server.url("source"), "BENCH_CATALOG": server.url("catalog", "psycopg")}
        environment = os.environ | names | {"BENCH_WAREHOUSE": warehouse}
        rivals = [f"dlt-{kind}" for kind in RETURN_TYPES] if options.dlt else []
        results: dict[str, list[dict[str, float]]] = {what: [] for what in ("copy", "duckdb", "ours", *rivals)}
        for _ in range(options.runs):
            for what, found in results.items():
                command = [sys.executable, __file__, "--child", what, "--rows", str(options.rows)]
                done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
                found.append(json.loads(done.stdout.splitlines()[-1]))
    return results


def report(results: dict[str, list[dict[str, float]]]) -> None:
    """Medians, and how ours compares."""
    rates = {}
    for what, found in results.items():
        middle = {name: statistics.median(run[name] for run in found) for name in found[0]}
        rates[what] = middle["rows"] / middle["seconds"]
        print(
            f"{what}: {middle['rows']:,.0f} rows in {middle['seconds']:.2f} s = {rates[what]:,.0f} rows/s, "
            f"{middle['rows'] / middle['cpu']:,.0f} rows per CPU s, {middle['resident_mb']:.0f} MB resident"
        )
    print(f"ours / copy: {rates['ours'] / rates['copy']:.2f}, duckdb / copy: {rates['duckdb'] / rates['copy']:.2f}")
    if rivals := [rate for what, rate in rates.items() if what.startswith("dlt")]:
        print(f"ours / dlt's best: {rates['ours'] / max(rivals):.2f}")


if __name__ == "__main__":
    main()
