"""Copy-on-write against merge-on-read: the same changes into the same silver rows, reads and storage included.

    uv run python benchmarks/write_modes.py --rows 1000000

Both tables get 1 % of their keys changed five times, then 10 % once, in turns, on one warm Spark server. After each
merge the whole table is read by Spark and by pyiceberg, which is how ``headwater query`` and products read. Prints
seconds of the refine job, seconds of both reads, bytes the run added. Row counts and sums have to agree.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from silver_tables import Bench, server

from headwater.domain.names import Layer, TableName
from headwater.domain.settings import Settings

MODES = ("copy-on-write", "merge-on-read")


@dataclass
class Round:
    """What one merge into a table took, and what it left to read."""

    merge: float
    spark_read: float
    pyiceberg_read: float
    added_bytes: int
    facts: tuple[int, float]


@dataclass
class Tried:
    """One table kept by one write mode."""

    bench: Bench
    settings: Settings
    mode: str
    rounds: list[Round] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.mode.replace("-", "_")

    @property
    def table(self) -> TableName:
        return TableName(layer=Layer.SILVER, source="bench", table=self.name)

    def load(self, rows: int) -> None:
        self.bench.refine({self.name: self.bench.bronze(self.name, 1, f"SELECT id AS k FROM range({rows})")}, "upsert")
        given = ", ".join(f"'write.{what}.mode' = '{self.mode}'" for what in ("merge", "update", "delete"))
        self.bench.spark.sql(f"ALTER TABLE {self.table.iceberg} SET TBLPROPERTIES ({given})").collect()

    def merge(self, batch: int, keys: str) -> None:
        before = self.stored_bytes()
        took = self.bench.refine({self.name: self.bench.bronze(self.name, batch, keys)}, "upsert")
        began = time.perf_counter()
        facts = self.bench.facts(self.name, "NOT _hw_deleted")
        spark_read = time.perf_counter() - began
        read, held = self.read_by_pyiceberg()
        assert held == facts[0], (held, facts)
        self.rounds.append(Round(took, spark_read, read, self.stored_bytes() - before, facts))

    def stored_bytes(self) -> int:
        found = self.bench.spark.sql(f"SELECT sum(file_size_in_bytes) AS n FROM {self.table.iceberg}.all_files")
        return int(found.collect()[0].n or 0)

    def read_by_pyiceberg(self) -> tuple[float, int]:
        from pyiceberg.catalog.sql import SqlCatalog

        catalog = self.settings.catalog
        lake = SqlCatalog("lake", uri=catalog.uri.get_secret_value(), warehouse=catalog.warehouse, schema_version="v1")
        table = lake.load_table((self.table.layer.value, f"{self.table.source}__{self.table.table}"))
        began = time.perf_counter()
        rows = table.scan(row_filter="_hw_deleted == false", selected_fields=("k", "amount", "v")).to_arrow().num_rows
        return time.perf_counter() - began, rows


def batches(rows: int) -> Iterator[tuple[int, str]]:
    """Five batches of 1 % of the keys, spread over all files, then one of 10 %."""
    for batch in range(2, 7):
        yield batch, f"SELECT id * 100 + {batch} AS k FROM range({rows // 100})"
    yield 7, f"SELECT id * 10 + 3 AS k FROM range({rows // 10})"


def main(rows: int) -> int:
    with server() as (bench, settings):
        tried = [Tried(bench, settings, mode) for mode in MODES]
        for one in tried:
            one.load(rows)
        for batch, keys in batches(rows):
            for one in tried:
                one.merge(batch, keys)
    if any(a.facts != b.facts for a, b in zip(tried[0].rounds, tried[1].rounds, strict=True)):
        sys.stdout.write("the tables differ\n")
        return 1
    for one in tried:
        small, large = one.rounds[:-1], one.rounds[-1]
        for what, found in (("1 % of keys, median of 5", small), ("10 % of keys", [large])):
            numbers = [statistics.median(values) for values in zip(*map(_numbers, found), strict=True)]
            merge, spark_read, read, added = numbers
            sys.stdout.write(
                f"{one.mode:14} {what:25} merge {merge:6.2f} s, then read by Spark {spark_read:5.2f} s, "
                f"by pyiceberg {read:5.2f} s, {added / 1e6:7.1f} MB added\n"
            )
    return 0


def _numbers(found: Round) -> tuple[float, float, float, int]:
    return found.merge, found.spark_read, found.pyiceberg_read, found.added_bytes


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    sys.exit(main(parser.parse_args().rows))
