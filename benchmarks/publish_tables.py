"""How long one publish of many tables takes on PostgreSQL, and how much of it is the transaction itself.

Run: ``python benchmarks/publish_tables.py [tables] [rounds]``. Prints milliseconds; asserts nothing.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.iceberg import IcebergCatalog
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Move
from headwater.domain.schema import Column, TableSchema
from headwater.domain.settings import CatalogSettings
from headwater.domain.staging import TableState, branch_of, new_attempt

SCHEMA = TableSchema(columns=tuple(Column(name=f"c{i}", type="long") for i in range(15)))


def stage(catalog: IcebergCatalog, table: TableName, number: int) -> Move:
    """A branch at main: for the pointers, a snapshot without files weighs as much as one with them."""
    main = catalog.create(table, SCHEMA).main
    assert main is not None
    branch = branch_of(new_attempt())
    catalog.cut_branch(table, branch, main)
    return Move(
        table=table, base=main, target=main, branch=branch, state=TableState(run_key="k", spec_hash="s", batch=number)
    )


def main(tables: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "postgres") as server:
        server.create_databases(["catalog"])
        catalog = IcebergCatalog(
            CatalogSettings(uri=server.url("catalog", "psycopg"), jdbc_uri="", warehouse=f"file://{folder}/warehouse")
        )
        names = [TableName(layer=Layer.SILVER, source="bench", table=f"t{i}") for i in range(tables)]
        wall, cpu = [], []
        for number in range(rounds):
            moves = [stage(catalog, name, number) for name in names]
            wall_began, cpu_began = time.perf_counter(), time.process_time()
            catalog.publish(moves)
            wall.append((time.perf_counter() - wall_began) * 1000)
            cpu.append((time.process_time() - cpu_began) * 1000)
        catalog.close()
    print(f"publish of {tables} tables, {rounds} rounds, ms")
    for what, values in (("wall", wall), ("cpu of this process", cpu)):
        print(f"  {what:20} best {min(values):6.1f}  median {statistics.median(values):6.1f}  worst {max(values):6.1f}")


if __name__ == "__main__":
    main(*(int(text) for text in sys.argv[1:3]) if len(sys.argv) > 2 else (20, 10))
