"""Five million rows of a moving PostgreSQL source against a release, with fifteen injected differences.

    uv run python benchmarks/reconcile.py --rows 5000000

A table of ten columns is extracted to bronze as runs do it, and a silver snapshot is made of those files. Then five
rows are taken out of silver, five are altered in it, and five are committed late at the source, within the lag. While
both sides are compared, a writer goes on updating and inserting at the source. Goal: exactly these fifteen keys, each
with its class, and less than 2 % of the rows looked at one by one after the hash pass.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from pydantic import SecretStr

from headwater.adapters.duckdb.engine import writer
from headwater.adapters.duckdb.sql import literal, quoted
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.iceberg.catalog import IcebergCatalog
from headwater.adapters.memory import MemoryRunStore
from headwater.adapters.reconciling import OpenedSides
from headwater.adapters.sources import parquet
from headwater.adapters.sources.opening import open_extractor
from headwater.domain.names import Layer
from headwater.domain.reconciliation import Reconciliation
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.run import RunRequest
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS, TableSchema
from headwater.domain.settings import CatalogSettings
from headwater.domain.spec import Owner, Schedule, Silver, SourceSpec, SqlExtract, TableSpec
from headwater.domain.staging import TableState, branch_of, new_attempt
from headwater.ports.catalog import DataFile
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp
from headwater.services.reconciling.reconciliation import reconcile_table

BEGAN = "timestamptz '2025-01-01 00:00:00+00'"
MAKE = f"""
CREATE TABLE orders AS SELECT n::bigint AS id, 'customer ' || n % 9973 AS customer, (n * 0.37)::numeric(12,2) AS total,
  n % 3 = 0 AS paid, date '2025-01-01' + (n % 365)::int AS ordered, sqrt(n) AS score, (n % 7)::int AS lines,
  md5(n::text) AS token, CASE WHEN n % 5 > 0 THEN 'note ' || n END AS note, {BEGAN} + n * interval '2 s' AS updated_at
FROM generate_series(1, {{rows}}) AS n;
ALTER TABLE orders ADD PRIMARY KEY (id);
CREATE INDEX ON orders (updated_at);
"""
TABLE = TableSpec(
    name="orders",
    key=("id",),
    extract=SqlExtract.model_validate({"mode": "incremental", "cursor": "updated_at", "lag": "1h"}),
    silver=Silver(mode="upsert", sequence_by="updated_at"),
)
SPEC = SourceSpec(
    name="bench",
    file="dags/sources/bench.yaml",
    description="orders",
    owner=Owner(team="bench"),
    schedule=Schedule(manual=True),
    connection="source",
    tables=(TABLE,),
)


@dataclass(frozen=True)
class Installation:
    """The one connection, and the clock."""

    connection: ConnectionInfo

    def resolve(self, connection_id: str) -> ConnectionInfo:  # noqa: ARG002 - the port's
        return self.connection

    def now(self) -> datetime:
        return datetime.now(UTC)

    def data_now(self) -> datetime:
        return self.now()


@dataclass(frozen=True)
class Injected:
    lost: Sequence[int]
    altered: Sequence[int]
    late: Sequence[int]


def extracted(connection: ConnectionInfo, catalog: IcebergCatalog) -> tuple[ReleasedTable, Sequence[DataFile]]:
    """The table in bronze, as plan, extract and commit make it."""
    extractor = open_extractor(TABLE, connection)
    name = SPEC.name_of(Layer.BRONZE, TABLE.name)
    columns = (*(c.model_copy(update={"required": False}) for c in extractor.inspect(TABLE).columns),)
    head = catalog.create(name, TableSchema(columns=(*columns, *BRONZE_SYSTEM_COLUMNS)))
    stamp = BatchStamp(run_key="i/bench/r", planned_at=datetime.now(UTC), batch=1, attempt=new_attempt())
    window = extractor.plan(TABLE, None, None, RunRequest(), stamp.planned_at)
    done = extractor.extract(TABLE, window, stamp, head.schema_, f"{head.location}/data")
    extractor.close()
    return committed(catalog, Layer.BRONZE, done.files, done.watermark), done.files


def refined(catalog: IcebergCatalog, files: Sequence[DataFile], harm: Injected) -> ReleasedTable:
    """Silver: the rows of bronze, with what is done to them in the lake."""
    bronze = catalog.head(SPEC.name_of(Layer.BRONZE, TABLE.name))
    assert bronze is not None
    columns = tuple(c for c in bronze.schema_.columns if not c.name.startswith("_hw_"))
    silver = catalog.create(SPEC.name_of(Layer.SILVER, TABLE.name), TableSchema(columns=columns))
    paths = ", ".join(literal(parquet.local(file.path)) for file in files)
    values = {c.name: quoted(c.name) for c in silver.schema_.columns}
    values["total"] = f"CASE WHEN id IN {tuple(harm.altered)} THEN total + 1 ELSE total END"
    source = f"read_parquet([{paths}]) WHERE id NOT IN {tuple(harm.lost)}"
    with writer() as engine:
        engine.execute("SET preserve_insertion_order = false")
        made = parquet.write_rows(engine, silver.schema_, values, source, f"{silver.location}/data", new_attempt())
    return committed(catalog, Layer.SILVER, made, None)


def committed(catalog: IcebergCatalog, layer: Layer, files: Sequence[DataFile], watermark: str | None) -> ReleasedTable:
    """The files in one snapshot, as a release names it."""
    name, branch = SPEC.name_of(layer, TABLE.name), branch_of(new_attempt())
    head = catalog.head(name)
    assert head is not None
    catalog.cut_branch(name, branch, head.main)
    snapshot = catalog.stage_files(name, branch, files, {"headwater.run-key": "i/bench/r"})
    after = catalog.head(name)
    assert after is not None
    state = TableState(run_key="i/bench/r", spec_hash="h", batch=1, watermark=watermark)
    rows, where = sum(file.rows for file in files), after.metadata_location
    return ReleasedTable(table=name, snapshot_id=snapshot, metadata_location=where, rows=rows, state=state)


def released(*tables: ReleasedTable) -> MemoryRunStore:
    runs = MemoryRunStore()
    for kind, item in zip(("bronze", "audited"), tables, strict=True):
        at = datetime.now(UTC)
        document = {"id": f"r-{kind}", "run_key": "i/bench/r", "pipeline": SPEC.name, "kind": kind, "tables": [item]}
        document |= {"status": "published", "created_at": at, "published_at": at}
        runs.save_release(Release.model_validate(document))
    return runs


@contextmanager
def moving(url: str, rows: int) -> Iterator[list[int]]:
    """A writer at the source that changes and adds rows until the block ends; gives the rows it wrote."""
    stop, written = threading.Event(), [0]

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as session:
            while not stop.wait(0.2):
                number = written[0]
                session.execute(
                    "UPDATE orders SET total = total + 1, updated_at = now() WHERE id = ANY (%s)",
                    ([(number * 7_919 + place * 104_729) % (rows // 2) * 2 for place in range(20)],),
                )
                session.execute(
                    "INSERT INTO orders SELECT %s + n, 'new', 1, true, '2026-01-01', 1, 1, 'x', NULL, now() "
                    "FROM generate_series(1, 20) AS n",
                    (rows + 1_000_000 + number,),
                )
                written[0] += 40

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield written
    finally:
        stop.set()
        thread.join()


def report(found: Reconciliation, harm: Injected, written: int, passes: float) -> None:
    """Figures, and whether it is exactly what was injected."""
    named: dict[str, list[int]] = {}
    for item in found.differences:
        named.setdefault(item.kind.value, []).append(int(item.key["id"]))
    expected = {"lag": sorted(harm.late), "loss": sorted(harm.lost), "corruption": sorted(harm.altered)}
    share = found.rows_read / (found.source_rows + found.lake_rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                "rows": found.source_rows,
                "seconds": round(passes, 1),
                "buckets": found.buckets,
                "differing": found.buckets_differing,
                "looked_at": found.rows_read,
                "share": f"{share:.4%}",
                "written_meanwhile": written,
                "unread": found.unread_rows,
                "resident_mb": round(peak),
                "exact": {kind: sorted(ids) for kind, ids in named.items()} == expected,
            }
        )
    )
    assert {kind: sorted(ids) for kind, ids in named.items()} == expected, named
    assert share < 0.02, share


def main() -> None:
    """Load, extract, harm, compare."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=5_000_000)
    options = arguments.parse_args()
    # odd keys: the writer changes even ones
    chosen = [place * (options.rows // 22) * 2 + 1 for place in range(1, 11)]
    harm = Injected(chosen[:5], chosen[5:], range(options.rows + 1, options.rows + 6))
    with (
        tempfile.TemporaryDirectory() as home,
        EmbeddedPostgres(Path(home, "server"), durable=False) as server,
        tempfile.TemporaryDirectory() as warehouse,
    ):
        Path(home).chmod(0o755)
        server.create_databases(["source", "catalog"])
        url = server.url("source")
        with psycopg.connect(url, autocommit=True) as session:
            session.execute(MAKE.format(rows=options.rows).encode())
            session.execute("VACUUM ANALYZE orders")
        uri = SecretStr(server.url("catalog", "psycopg"))
        catalog = IcebergCatalog(CatalogSettings(uri=uri, jdbc_uri="", warehouse=warehouse))
        bronze, files = extracted(connection_of(url), catalog)
        silver = refined(catalog, files, harm)
        catalog.close()
        with psycopg.connect(url, autocommit=True) as session:
            for number in harm.late:
                session.execute(
                    "INSERT INTO orders SELECT %s, 'late', 1, true, '2025-01-01', 1, 1, 'x', NULL, "
                    "max(updated_at) - interval '10 min' FROM orders",
                    (number,),
                )
        installation = Installation(connection_of(url))
        with moving(url, options.rows) as written:
            started = time.monotonic()
            runs = released(bronze, silver)
            found = reconcile_table(runs, OpenedSides(installation), installation, SPEC, TABLE.name)
            passes = time.monotonic() - started
        report(found, harm, written[0], passes)


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


if __name__ == "__main__":
    main()
