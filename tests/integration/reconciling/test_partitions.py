"""A partition of a real PostgreSQL, 18 and 15, leaves as a whole where every row of it was verified."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.integration.reconciling.conftest import ORDERS
from tests.integration.reconciling.lake_under_test import Fixed, Lake
from tests.integration.sources.sources_under_test import Source, connection_of

from headwater.adapters.reconciling import OffloadedSides
from headwater.domain.offload import OffloadReport
from headwater.services.offloading import offload_table

MAKE = """
CREATE TABLE orders (id int, customer text, total numeric(12,2), updated_at timestamptz, PRIMARY KEY (id, updated_at))
  PARTITION BY RANGE (updated_at);
CREATE TABLE orders_2023 PARTITION OF orders FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE orders_2024 PARTITION OF orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (id);
CREATE TABLE "orders 2024 a" PARTITION OF orders_2024 FOR VALUES IN (11, 12, 13);
CREATE TABLE orders_2024_b PARTITION OF orders_2024 DEFAULT;
CREATE TABLE orders_2025 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE orders_2030 PARTITION OF orders FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
INSERT INTO orders SELECT n, 'c', n, timestamptz '2023-03-01 00:00+00' + n * interval '1 month'
FROM generate_series(1, 30) AS n
"""
"""Nine orders of 2023, twelve of 2024, nine of 2025."""
PARTED = ORDERS.model_copy(update={"extract": ORDERS.extract.model_copy(update={"chunk_rows": 5})})


@pytest.fixture(params=["postgres_database"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    found = request.getfixturevalue(request.param)
    url = found if isinstance(found, str) else found(None)
    source = Source(connection_of(url), url, tmp_path / "extracts")
    source.sql("DROP TABLE IF EXISTS orders, orders_2023 CASCADE", *MAKE.split(";"))
    return source


@pytest.fixture
def lake(source: Source, lake_of: Callable[..., Lake]) -> Lake:
    made = lake_of(PARTED)
    made.run()
    return made


def offload(lake: Lake, before: str = "2025-06-01") -> OffloadReport:
    fixed: Any = Fixed(lake.source.info)
    return offload_table(lake.runs, OffloadedSides(fixed), fixed, lake.spec, lake.table.name, before)


def kept(report: OffloadReport) -> dict[str, str]:
    return {item.name: item.why for item in report.partitions}


def counted(source: Source, relation: str) -> int:
    with psycopg.connect(source.url) as session:
        [(rows,)] = session.execute(f"SELECT count(*) FROM {relation}".encode()).fetchall()
    return int(rows)


@pytest.mark.parametrize("source", ["postgres_database", "postgres_15"], indirect=True)
def test_a_partition_that_is_wholly_verified_leaves_and_later_runs_miss_nothing(lake: Lake, source: Source) -> None:
    report = offload(lake)
    assert kept(report) == {
        "public.orders 2024 a": "",
        "public.orders_2023": "",
        "public.orders_2024_b": "",
        "public.orders_2025": "it holds rows that are not before the bound",
    }
    assert [item.rows for item in report.partitions] == [3, 9, 9, 9]
    for item in report.partitions:
        if item.is_covered:
            source.sql(item.detach or "")
    assert (counted(source, "orders"), counted(source, "orders_2023")) == (9, 9)
    source.sql(*[item.drop or "" for item in report.partitions if item.is_covered])
    source.sql("INSERT INTO orders VALUES (99, 'new', 1, '2025-11-30')")
    lake.run()
    assert lake.reconcile().is_equal
    assert [item.name for item in offload(lake).partitions] == ["public.orders_2025"]


def test_a_range_that_differs_keeps_the_partitions_it_has_rows_of(lake: Lake) -> None:
    lake.damage("SELECT * FROM silver WHERE id <> 8")
    found = kept(offload(lake))
    # ranges of five: the second has orders of 2023 and the first of 2024
    assert found["public.orders_2023"] == "1 of its ranges are not verified"
    assert found["public.orders 2024 a"] == ""
    assert found["public.orders_2024_b"] == "1 of its ranges are not verified"


def test_a_partition_with_another_number_of_rows_stays(lake: Lake, source: Source) -> None:
    [old] = [item for item in offload(lake).partitions if item.name == "public.orders_2023"]
    source.sql("INSERT INTO orders VALUES (77, 'late', 1, '2023-05-05')")
    with pytest.raises(psycopg.errors.RaiseException, match="nothing was detached: 10 rows instead of 9"):
        source.sql(old.detach or "")
    assert counted(source, "orders") == 31


def test_a_partition_with_a_row_changed_since_stays(lake: Lake, source: Source) -> None:
    """Nothing was verified of what the row is now, and perhaps no run has read it."""
    [part] = [item for item in offload(lake, "2024-06-01").partitions if item.name == "public.orders 2024 a"]
    source.sql("UPDATE orders SET total = 0, updated_at = '2024-11-01' WHERE id = 12")
    with pytest.raises(psycopg.errors.RaiseException, match="3 rows instead of 3, 1 of them changed since"):
        source.sql(part.detach or "")
    assert counted(source, "orders") == 30


def test_a_relation_without_partitions_has_none(lake: Lake, source: Source) -> None:
    source.sql("CREATE TABLE plain (LIKE orders INCLUDING ALL)", "INSERT INTO plain SELECT * FROM orders",
               "DROP TABLE orders", "ALTER TABLE plain RENAME TO orders")  # fmt: skip
    report = offload(lake)
    assert (report.partitions, report.is_verified) == ((), True)
