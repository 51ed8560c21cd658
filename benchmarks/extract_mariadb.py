"""MariaDB to committed bronze, against dlt's best path to Parquet files, and against ConnectorX and PyMySQL alone.

    uv run --with 'dlt[parquet]==1.31.0' --with connectorx==0.4.6 python benchmarks/extract_mariadb.py --rows 1000000

Flights of twelve mixed columns with exact decimals and microseconds. Runs are interleaved, each in a process of its
own, so that resident memory and CPU seconds are its own; the medians are compared. The clock starts when libraries
are imported and, for ours, the bronze table exists. Ours covers plan, extract and commit; dlt's extract, normalize
and load into a folder, by its ``connectorx`` backend. Nobody uses TLS. Goal: at least 1.5 of dlt.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from dlt_alone import RETURN_TYPES, dlt_alone
from extract_postgres import Took, committed_rows, timed
from pydantic import SecretStr

from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.iceberg.catalog import IcebergCatalog
from headwater.adapters.sources.opening import open_extractor
from headwater.domain.names import Layer, TableName
from headwater.domain.run import RunRequest
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS, TableSchema
from headwater.domain.settings import CatalogSettings
from headwater.domain.spec import Silver, SqlExtract, TableSpec
from headwater.domain.staging import branch_of, new_attempt
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp

sys.path.append(str(Path(__file__).parents[1]))

DATABASE, LOGIN, PASSWORD = "bench", "reader", "reader"
LOAD = """
CREATE TABLE flights (
  id bigint PRIMARY KEY, carrier varchar(2), origin char(3), dest char(3), flight int, dep_delay smallint,
  fare decimal(12,4), ratio double, time_hour datetime, updated_at datetime(6), note varchar(40), day date,
  KEY (updated_at))
"""
FILL = """
INSERT INTO flights SELECT seq, ELT(1 + seq % 5, 'UA', 'AA', 'DL', 'B6', 'EV'), ELT(1 + seq % 3, 'EWR', 'JFK', 'LGA'),
  CONCAT('D', LPAD(seq % 97, 2, '0')), seq % 9000, CAST(seq % 300 AS SIGNED) - 20, seq * 0.1137, seq / 7e0,
  '2013-01-01' + INTERVAL (seq DIV 50) MINUTE, '2013-01-01' + INTERVAL seq * 10001 MICROSECOND, CONCAT('note ', seq),
  '2013-01-01' + INTERVAL seq % 365 DAY FROM seq_1_to_{rows}
"""


def ours(port: int, catalog_url: str, warehouse: str) -> Took:
    """Plan, extract, and commit to the attempt's branch."""
    connection = ConnectionInfo(id="source", kind="mariadb", host="127.0.0.1", port=port, login=LOGIN, schema_=DATABASE,
                                password=SecretStr(PASSWORD), extra={"ssl_mode": "disabled"})  # fmt: skip
    extract = SqlExtract(mode="incremental", cursor="updated_at")
    table = TableSpec(name="flights", key=("id",), extract=extract, silver=Silver(mode="upsert"))
    name = TableName(layer=Layer.BRONZE, source="bench", table=f"t{new_attempt()[:8]}")
    catalog = IcebergCatalog(CatalogSettings(uri=SecretStr(catalog_url), jdbc_uri="", warehouse=warehouse))
    before = open_extractor(table, connection)
    columns = (*(c.model_copy(update={"required": False}) for c in before.inspect(table).columns),
               *BRONZE_SYSTEM_COLUMNS)  # fmt: skip
    before.close()
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
    assert committed_rows(staged.metadata_location, branch) == took.rows
    catalog.close()
    return took


def connectorx_alone(port: int) -> Took:
    """ConnectorX into one Arrow table, and that into one Parquet file: no bounds on memory."""
    connectorx: Any = import_module("connectorx")
    parquet: Any = import_module("pyarrow.parquet")

    def work() -> int:
        address = f"mysql://{LOGIN}:{PASSWORD}@127.0.0.1:{port}/{DATABASE}"
        found = connectorx.read_sql(address, "SELECT * FROM flights", return_type="arrow", protocol="binary")
        with tempfile.TemporaryDirectory() as folder:
            parquet.write_table(found, f"{folder}/file.parquet", compression="zstd")
        return int(found.num_rows)

    return timed(work)


def pymysql_alone(port: int) -> Took:
    """PyMySQL's unbuffered cursor, its rows thrown away: what any writer above it would start from."""
    pymysql: Any = import_module("pymysql")
    cursors: Any = import_module("pymysql.cursors")

    def work() -> int:
        rows = 0
        with pymysql.connect(host="127.0.0.1", port=port, user=LOGIN, password=PASSWORD, database=DATABASE,
                             ssl_disabled=True, cursorclass=cursors.SSCursor) as session:  # fmt: skip
            cursor = session.cursor()
            cursor.execute("SELECT * FROM flights")
            while found := cursor.fetchmany(10_000):
                rows += len(found)
        return rows

    return timed(work)


def measured(what: str, rows: int) -> None:
    """In the child: do it once and print what it took."""
    port = int(os.environ["BENCH_PORT"])
    if what == "ours":
        took = ours(port, os.environ["BENCH_CATALOG"], os.environ["BENCH_WAREHOUSE"])
    elif what.startswith("dlt"):
        address = f"{LOGIN}:{PASSWORD}@127.0.0.1:{port}/{DATABASE}"
        took = dlt_alone(f"mysql+pymysql://{address}", f"mysql://{address}", "flights", what.removeprefix("dlt-"))
    else:
        took = connectorx_alone(port) if what == "connectorx" else pymysql_alone(port)
    assert took.rows == rows, took
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": took.rows, "seconds": took.seconds, "cpu": took.cpu, "resident_mb": peak}))


def server_cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compared(rows: int, runs: int) -> dict[str, list[dict[str, float]]]:
    """Results of every run, of all."""
    from tests.integration.sources.mariadb_under_test import serving

    with serving("--innodb-buffer-pool-size=1G") as server, tempfile.TemporaryDirectory() as folder:
        server.sql(f"CREATE DATABASE {DATABASE}", f"CREATE USER {LOGIN} IDENTIFIED BY '{PASSWORD}'")
        server.sql(f"GRANT SELECT, PROCESS ON *.* TO {LOGIN}")
        server.sql(LOAD, FILL.format(rows=rows), "ANALYZE TABLE flights", database=DATABASE)
        with EmbeddedPostgres(Path(folder) / "postgres", durable=False) as catalog:
            catalog.create_databases(["catalog"])
            told = {"BENCH_PORT": str(server.port), "BENCH_CATALOG": catalog.url("catalog", "psycopg")}
            environment = os.environ | told | {"BENCH_WAREHOUSE": f"{folder}/warehouse"}
            results: dict[str, list[dict[str, float]]] = {
                "ours": [], **{f"dlt-{kind}": [] for kind in RETURN_TYPES}, "connectorx": [], "pymysql": [],
            }  # fmt: skip
            for _ in range(runs):
                for what, found in results.items():
                    used = server_cpu_seconds(server.process_id)
                    command = [sys.executable, __file__, "--child", what, "--rows", str(rows)]
                    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
                    if done.returncode:
                        print(what, "failed:", done.stderr[-500:])
                        continue
                    took = json.loads(done.stdout.splitlines()[-1])
                    found.append(took | {"server_cpu": server_cpu_seconds(server.process_id) - used})
    return results


def main() -> None:
    """Load, run interleaved, print medians."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--child")
    options = arguments.parse_args()
    if options.child:
        measured(options.child, options.rows)
        return
    rates = {}
    for what, found in compared(options.rows, options.runs).items():
        if not found:
            continue
        middle = {name: statistics.median(run[name] for run in found) for name in found[0]}
        rates[what] = middle["rows"] / middle["seconds"]
        print(
            f"{what}: {middle['rows']:,.0f} rows in {middle['seconds']:.2f} s = {rates[what]:,.0f} rows/s, "
            f"{middle['cpu']:.2f} CPU s here, {middle['server_cpu']:.2f} at the server, {middle['resident_mb']:.0f} MB"
        )
    best = max(rate for what, rate in rates.items() if what.startswith("dlt"))
    print(f"ours / dlt's best: {rates['ours'] / best:.2f} (wanted: 1.50)")


if __name__ == "__main__":
    main()
