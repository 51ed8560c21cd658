"""What ``offload`` tells people."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from headwater.cli.offloading import print_report
from headwater.domain.names import Layer, TableName
from headwater.domain.offload import OffloadedPartition, OffloadedRange, OffloadReport

SILVER = TableName(layer=Layer.SILVER, source="shop", table="orders")


def test_only_partitions_that_are_covered_have_statements(capsys: pytest.CaptureFixture[str]) -> None:
    """And none that removes anything is a line that somebody could run unread."""
    covered = OffloadedPartition(name="public.old", rows=3, detach="DETACH it;", drop="DROP it;")
    kept = OffloadedPartition(name="public.new", rows=4, why="it holds rows that are not before the bound")
    upto = OffloadedRange(high="7", rows=3, lake_rows=3, checksum="0" * 32, verified=True, purge="DELETE it;")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    print_report(
        OffloadReport(
            table=SILVER, compared=SILVER, relation="public.orders", before="8", release="r", snapshot_id=1,
            looked_at=at, ranges=(upto,), partitions=(covered, kept),
        )
    )  # fmt: skip
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "it;" in line] == ["DETACH it;", "-- DROP it;", "DELETE it;"]
    assert any("public.new" in line and "NO" in line for line in lines)
