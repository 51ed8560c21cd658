"""A declared comparison is checked like the rest of the file: by line and key."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.errors import SpecError
from headwater.domain.reconciliation import compared_tables
from headwater.domain.spec import SourceSpec
from headwater.model.repository import load_pipeline

FILE = "dags/sources/shop.yaml"


def load(files: Any, text: str) -> SourceSpec:
    file = files.root / FILE
    file.write_text(file.read_text() + text)
    spec = load_pipeline(files.root, file)
    assert isinstance(spec, SourceSpec)
    return spec


def test_without_the_key_nothing_is_compared_by_itself(files: Any) -> None:
    assert load(files, "").reconcile is None


def test_every_relation_with_a_key_is_compared_unless_tables_are_named(files: Any) -> None:
    spec = load(files, "reconcile: {schedule: {cron: '0 3 * * 0'}}\n")
    assert spec.reconcile is not None
    assert spec.reconcile.schedule.cron == "0 3 * * 0"
    assert set(compared_tables(spec)) <= {table.name for table in spec.tables}
    assert compared_tables(spec)


@pytest.mark.parametrize(
    ("text", "key", "part"),
    [
        ("reconcile: {}\n", "reconcile", "'schedule' is missing"),
        ("reconcile: {schedule: {every: 1d}, table: x}\n", "reconcile.table", "unknown key"),
        ("reconcile: {schedule: {every: 5s}}\n", "reconcile.schedule.every", "at most once a minute"),
        ("reconcile: {schedule: {assets: [silver.shop.orders]}}\n", "reconcile.schedule.assets", "goes by the clock"),
        ("reconcile: {schedule: manual, tables: [nothing]}\n", "reconcile.tables[0]", "no relation with a key"),
    ],
)
def test_what_is_wrong_is_named_by_its_key(files: Any, text: str, key: str, part: str) -> None:
    with pytest.raises(SpecError) as refused:
        load(files, text)
    assert key in str(refused.value)
    assert part in str(refused.value)
