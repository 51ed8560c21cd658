"""Partitions, sort order and properties in YAML: read, and refused with their line where they cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.spec import GoldSpec
from headwater.domain.table_layout import PartitionField, SortField, TableLayout
from headwater.model.repository import load_repository

YAML = "dags/sources/shop.yaml"
GOLD, SILVER = "    grain: [day]\n", "silver: {mode: upsert, sequence_by: updated_at"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("day(time_hour)", PartitionField(column="time_hour", transform="day")),
        ("bucket(16, origin)", PartitionField(column="origin", transform="bucket", size=16)),
        ("truncate( 4 ,tail)", PartitionField(column="tail", transform="truncate", size=4)),
        ("origin", PartitionField(column="origin")),
    ],
)
def test_partition_fields(text: str, field: PartitionField) -> None:
    assert TableLayout(partition_by=(text,)).partitions == (field,)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("a", SortField(column="a")),
        ("a DESC", SortField(column="a", descending=True, nulls_first=False)),
        ("a asc nulls last", SortField(column="a", nulls_first=False)),
    ],
)
def test_sort_fields(text: str, field: SortField) -> None:
    """NULLs come where Iceberg puts them: first when ascending, last when descending."""
    assert TableLayout(sort_by=(text,)).sorts == (field,)


@pytest.mark.parametrize(
    ("old", "new", "message", "allowed"),
    [
        (GOLD, "    partition_by: [week(day)]\n", "is no partition field", "bucket(16, c)"),
        (GOLD, "    partition_by: [day, day]\n", "in the list twice", "each once"),
        (GOLD, "    sort_by: [day upwards]\n", "is no sort field", "column desc"),
        (GOLD, "    partition_by: [month(dya)]\n", "has no column 'dya'", "day, amount"),
        (GOLD, "    sort_by: [dya]\n", "has no column 'dya'", "day, amount"),
        (GOLD, "    properties: {headwater.state: x}\n", "not yours to set", "write.parquet."),
        (SILVER, ", partition_by: [bucket(0, id)]", "is no partition field", "bucket(16, c)"),
        (SILVER, ", properties: {history.expire.max-ref-age-ms: 1}", "not yours to set", "read.split."),
    ],
)
def test_a_layout_that_cannot_be_is_refused_with_its_line(
    files: Any, old: str, new: str, message: str, allowed: str
) -> None:
    files.replace(YAML, old, old + new)
    (error,) = load_repository(files.root).errors
    assert message in error.message
    assert error.where is not None
    assert error.where.line == next(
        n for n, line in enumerate((files.root / YAML).read_text().splitlines(), 1) if new.strip(", \n") in line
    )
    assert allowed in f"{error.message} {error.allowed}"


def test_a_bucket_needs_no_quotes_in_a_list(files: Any) -> None:
    """YAML itself would cut it at its comma."""
    files.replace(YAML, GOLD, GOLD + "    partition_by: [bucket(16, day), amount]\n")
    found = load_repository(files.root)
    assert found.errors == ()
    assert found.sources[0].gold[0].partition_by == ("bucket(16, day)", "amount")


def test_a_layout_is_kept_and_numbers_become_text(files: Any) -> None:
    files.replace(
        YAML, GOLD, GOLD + "    partition_by: [day]\n    properties: {write.target-file-size-bytes: 1048576}\n"
    )
    found = load_repository(files.root)
    assert found.errors == ()
    gold: GoldSpec = found.sources[0].gold[0]
    assert gold.layout == TableLayout(partition_by=("day",), properties={"write.target-file-size-bytes": "1048576"})
