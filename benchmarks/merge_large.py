"""10 k changes into a silver table of 10 M rows: what is read, against what the files with changed keys hold.

    uv run python benchmarks/merge_large.py --rows 10000000 --changes 10000

The table has its keys in order, 50 files of them, as loads by a serial key leave it. Changes lie in the newest keys,
in a fifth of the table, and everywhere. Prints seconds of the refine job, files with changed keys, and what the Spark
server read (of any file, those of its shuffles too). The rows that changed have to be those of the batch.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from silver_tables import START, VALUES, Bench, server

from headwater.adapters.spark_connect.server import ConnectServer
from headwater.domain.names import Layer, TableName

FILES = 50
NAME = "large"
TABLE = TableName(layer=Layer.SILVER, source="bench", table=NAME)


@dataclass(frozen=True, slots=True)
class Large:
    """The table, and the server whose reads are counted."""

    bench: Bench
    server_pid: int
    rows: int

    def fill(self) -> None:
        """Its first rows by a refine, which makes the table; the others are written beside it, of the same form."""
        self.bench.refine({NAME: self.bench.bronze(NAME, 1, "SELECT id AS k FROM range(1000)")}, "upsert")
        values = VALUES.format(v=1, at=START)
        system = (
            "printf('0001-%012d', k) AS _hw_position, 1L AS _hw_batch, 1L AS _hw_changed_batch, 'r' AS _hw_run_key, "
            "false AS _hw_deleted, sha2(CAST(k AS STRING), 256) AS _hw_hash"
        )
        names = ", ".join(self.bench.spark.table(TABLE.iceberg).columns)
        rows = f"SELECT id AS k FROM range(1000, {self.rows}, 1, {FILES})"
        self.bench.spark.sql(
            f"INSERT INTO {TABLE.iceberg} ({names}) "
            f"SELECT {names} FROM (SELECT k, {values}, TIMESTAMP '{START}' AS u, {system} FROM ({rows}))"
        ).collect()
        self.bench.heads[TABLE] = self.bench.head(TABLE)

    def read_bytes(self) -> int:
        lines = Path(f"/proc/{self.server_pid}/io").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("rchar")))

    def touched(self, keys: str) -> tuple[int, int, int]:
        """Files whose bounds hold a key, their bytes, and the bytes of all files."""
        found = self.bench.spark.sql(
            f"SELECT count_if(hit) AS n, sum(IF(hit, size, 0)) AS touched, sum(size) AS whole FROM (SELECT file_path, "
            f"any_value(file_size_in_bytes) AS size, bool_or(k IS NOT NULL) AS hit FROM {TABLE.iceberg}.data_files f "
            f"LEFT JOIN ({keys}) ON k BETWEEN readable_metrics.k.lower_bound AND readable_metrics.k.upper_bound "
            f"GROUP BY file_path)"
        ).collect()[0]
        return int(found.n), int(found.touched), int(found.whole)

    def merge(self, what: str, batch: int, keys: str) -> None:
        files, size, whole = self.touched(keys)
        source = self.bench.bronze(NAME, batch, keys)
        before = self.read_bytes()
        took = self.bench.refine({NAME: source}, "upsert")
        read = self.read_bytes() - before
        changed = self.bench.spark.sql(
            f"SELECT count(*) AS n FROM {TABLE.iceberg} WHERE _hw_changed_batch = {batch}"
        ).collect()
        expected = self.bench.spark.sql(f"SELECT count(DISTINCT k) AS n FROM ({keys})").collect()
        assert changed[0].n == expected[0].n, (changed, expected)
        sys.stdout.write(
            f"{what:12} {took:6.2f} s, {files:3} files of {size / 1e6:7.1f} MB hold changed keys, "
            f"of {whole / 1e6:.1f} MB; read {read / 1e6:7.1f} MB\n"
        )
        sys.stdout.flush()


def main(rows: int, changes: int) -> int:
    with server() as (bench, settings):
        state = ConnectServer(settings).state()
        assert state is not None
        large = Large(bench, state.pid, rows)
        large.fill()
        fifth, new = rows // 5, f"SELECT id + {rows} AS k FROM range({changes // 10})"
        large.merge("warm", 2, f"SELECT id AS k FROM range({changes})")
        large.merge("newest", 3, f"SELECT id + {rows - changes * 9 // 10} AS k FROM range({changes})")
        large.merge("a fifth", 4, f"SELECT id * {fifth // changes} + {fifth} AS k FROM range({changes})")
        large.merge(
            "everywhere", 5, f"SELECT id * {rows // changes} AS k FROM range({changes * 9 // 10}) UNION ALL {new}"
        )
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--changes", type=int, default=10_000)
    options = parser.parse_args()
    sys.exit(main(options.rows, options.changes))
