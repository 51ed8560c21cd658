"""Postgres to committed bronze, against ``COPY … TO STDOUT`` to /dev/null of the same rows over one connection.

    uv run python benchmarks/extract_postgres.py --rows 5000000 --runs 3

Real flights repeated, with an exact decimal fare. Runs are interleaved, each in a process of its own, so that resident
memory and CPU seconds are its own; the medians are compared. Goal: at least 0.85 of COPY, under 400 MB resident.
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
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from pydantic import SecretStr

from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.iceberg.catalog import IcebergCatalog
from headwater.adapters.sources.opening import open_extractor
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
CREATE TABLE repeated AS
SELECT f.*, (f.distance * 0.1137 + n)::numeric(12,4) AS fare
FROM flights f CROSS JOIN generate_series(1, %s) AS n LIMIT %s
"""


def copy_to_nowhere(url: str) -> int:
    """The anchor: text COPY, as psycopg hands it over."""
    with psycopg.connect(url) as session, Path(os.devnull).open("wb") as sink:
        cursor = session.cursor()
        with cursor.copy("COPY (SELECT * FROM repeated) TO STDOUT") as stream:
            sink.writelines(stream)
        return cursor.rowcount


def extract_to_bronze(url: str, catalog_url: str, warehouse: str) -> int:
    """Ours: plan, extract, and commit to the attempt's branch."""
    parts = urlsplit(url)
    connection = ConnectionInfo(
        id="source",
        kind="postgres",
        host=parts.hostname or "",
        port=parts.port,
        login=parts.username or "",
        password=SecretStr(parts.password or ""),
        schema_=parts.path[1:],
    )
    key = ("origin", "time_hour", "carrier", "flight")
    extract = SqlExtract(mode="incremental", cursor="updated_at")
    table = TableSpec(name="repeated", key=key, extract=extract, silver=Silver(mode="upsert"))
    name = TableName(layer=Layer.BRONZE, source="bench", table=f"t{new_attempt()[:8]}")
    catalog = IcebergCatalog(CatalogSettings(uri=SecretStr(catalog_url), jdbc_uri="", warehouse=warehouse))
    extractor = open_extractor(table, connection)
    offered = extractor.inspect(table)
    columns = (*(c.model_copy(update={"required": False}) for c in offered.columns), *BRONZE_SYSTEM_COLUMNS)
    head = catalog.create(name, TableSchema(columns=columns))
    window = extractor.plan(table, None, None, RunRequest(), datetime.now(UTC))
    stamp = BatchStamp(run_key="i/bench/r", planned_at=datetime.now(UTC), batch=1, attempt=new_attempt())
    extracted = extractor.extract(table, window, stamp, head.schema_, f"{head.location}/data")
    branch = branch_of(stamp.attempt)
    catalog.cut_branch(name, branch, head.main)
    catalog.stage_files(name, branch, extracted.files, {"headwater.run-key": stamp.run_key})
    extractor.close()
    catalog.close()
    return extracted.rows


def measured(what: str) -> None:
    """In the child: do it once and print what it took."""
    url = os.environ["BENCH_SOURCE"]
    started = time.monotonic()
    if what == "copy":
        rows = copy_to_nowhere(url)
    else:
        rows = extract_to_bronze(url, os.environ["BENCH_CATALOG"], os.environ["BENCH_WAREHOUSE"])
    seconds = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu, "resident_mb": used.ru_maxrss / 1024}))


def main() -> None:
    """Load, run interleaved, print medians."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=5_000_000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--child", choices=("copy", "ours"))
    options = arguments.parse_args()
    if options.child:
        measured(options.child)
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
        results: dict[str, list[dict[str, float]]] = {"copy": [], "ours": []}
        for _ in range(options.runs):
            for what, found in results.items():
                command = [sys.executable, __file__, "--child", what]
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
            f"{middle['cpu']:.2f} CPU s, {middle['resident_mb']:.0f} MB resident"
        )
    print(f"ours / copy: {rates['ours'] / rates['copy']:.2f}")


if __name__ == "__main__":
    main()
