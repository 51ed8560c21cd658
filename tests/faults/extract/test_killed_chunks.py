"""A long read that is killed after each chunk, and inside one, ends as one read: nothing read twice but that chunk."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.bad_input.bad_input import WrongData
from tests.bad_input.shop import Shop
from tests.chain.stage import context
from tests.faults.extract.killed_stage import stage

from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.iceberg.opening import open_catalog
from headwater.adapters.platform import LocalPlatform

ROWS, CHUNK_ROWS = 35, 10
SERIES = f"generate_series(1, {ROWS}) g"
CASE = WrongData(
    "",
    "a huge table",
    (
        "create table orders (id int primary key, note text, at timestamptz not null)",
        f"insert into orders select g, 'n', timestamptz '2026-01-01' + g / 4 * interval '1 h' from {SERIES}",
    ),
    extract=f"{{mode: incremental, cursor: at, chunk_rows: {CHUNK_ROWS}}}",
)


@pytest.fixture
def shop(postgres_server: EmbeddedPostgres, tmp_path: Path) -> Shop:
    shop = Shop(tmp_path, postgres_server)
    shop.declare(CASE)
    return shop


def test_a_read_that_dies_after_every_chunk_reads_each_row_once_and_commits_once(shop: Shop) -> None:
    """Rules 11, 12, 27 and 28."""
    assert stage(shop, "plan_run").returncode == 0
    killed = ["extract.mid", *["extract.chunk"] * 4, "extract.before_commit", "extract.after_commit"]
    for point in killed:
        died = stage(shop, "extract_to_bronze:orders", f"{point}:kill")
        assert died.returncode == -signal.SIGKILL, died.stderr
    done = stage(shop, "extract_to_bronze:orders")
    assert done.returncode == 0, done.stderr
    assert f"4 chunks with {ROWS} rows were finished by an earlier try" in done.stdout
    written = [path for path in shop.home.glob("lake/**/*.parquet") if "orders" in path.name]
    assert len({path.name.partition("-")[0] for path in written}) == 5, "each chunk by an attempt of its own"
    rows = staged(shop)
    assert Counter(row["id"] for row in rows) == dict.fromkeys(range(1, ROWS + 1), 1)
    assert sum(_rows(path) for path in written) <= ROWS + CHUNK_ROWS
    positions = [row["_hw_position"] for row in rows]
    assert len(set(positions)) == ROWS
    in_order = sorted(rows, key=lambda row: row["_hw_position"])
    assert [(row["at"], row["id"]) for row in in_order] == sorted((row["at"], row["id"]) for row in rows)


def test_chunks_of_a_dead_attempt_are_adopted_only_as_they_were_written(shop: Shop) -> None:
    """Rule 12: a file that is gone or altered is read again, with all behind it."""
    stage(shop, "plan_run")
    stage(shop, "extract_to_bronze:orders", "extract.chunk:kill")
    [first] = [path for path in shop.home.glob("lake/**/*.parquet") if "orders" in path.name]
    first.write_bytes(first.read_bytes()[:-1] + b"x")
    done = stage(shop, "extract_to_bronze:orders")
    assert "a file of chunk 0 is gone or altered" in done.stdout
    assert not first.exists()
    assert sorted(row["id"] for row in staged(shop)) == list(range(1, ROWS + 1))


def staged(shop: Shop) -> list[dict[str, Any]]:
    platform = LocalPlatform(shop.settings)
    run = context(platform, "shop", "one")
    [record] = platform.runs.staged(run.key, "extract_to_bronze")
    platform.close()
    lake = open_catalog(shop.settings.catalog)
    rows = lake.load_table("bronze.shop__orders").scan(snapshot_id=record.staged.staged).to_arrow().to_pylist()
    lake.close()
    return list(rows)


def _rows(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)
