"""What is published together (rule 20), and what makes work already done worthless (rule 8)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.errors import SpecError
from headwater.domain.names import TableName
from headwater.domain.spec import SourceSpec
from headwater.model.fixtures.fixture import read_fixtures
from headwater.model.fixtures.fixture import tested_tables as tables_with_tests
from headwater.model.groups import publish_groups
from headwater.model.hashes import gold_hash, preflight_hash, silver_hash, spec_hash, table_hash
from headwater.model.repository import load_pipeline

SHOP = "dags/sources/shop.yaml"


def _load(files: Any) -> SourceSpec:
    spec = load_pipeline(files.root, files.root / SHOP)
    assert isinstance(spec, SourceSpec)
    return spec


def _groups(files: Any) -> list[list[str]]:
    return [[table.dotted for table in group] for group in publish_groups(_load(files))]


def test_silver_read_by_gold_is_published_with_it_and_other_silver_alone(files: Any) -> None:
    assert _groups(files) == [["silver.shop.orders", "gold.shop.revenue"], ["silver.shop.customers"]]


def test_gold_that_reads_two_tables_joins_their_groups(files: Any) -> None:
    sql = "SELECT o.day FROM silver.shop.orders AS o JOIN silver.shop.customers AS c ON c.id = o.customer\n"
    files.write({"sql/gold/shop/revenue.sql": sql})
    assert _groups(files) == [["silver.shop.orders", "silver.shop.customers", "gold.shop.revenue"]]


def test_a_group_of_a_product_holds_no_table_of_others(files: Any) -> None:
    product = load_pipeline(files.root, files.root / "dags/products/report.yaml")
    assert [[table.dotted for table in group] for group in publish_groups(product)] == [["gold.report.totals"]]


def _hashes(files: Any) -> dict[str, str]:
    spec = _load(files)
    orders, revenue = spec.table("orders"), spec.gold[0]
    return {
        "spec": spec_hash(spec),
        "bronze": table_hash(spec, orders),
        "silver": silver_hash(spec, orders),
        "gold": gold_hash(spec, revenue),
        "preflight": preflight_hash(spec, TableName.parse("silver.shop.orders"), "fixtures"),
    }


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        (SHOP, "lag: 2h", "lag: 3h", {"bronze"}),
        (SHOP, "lag: 2h", "lag: 2h, chunk_rows: 1000, readers: 2", set()),
        (SHOP, "connection: shop_db", "connection: shop", {"bronze"}),
        (SHOP, "trim(note)", "ltrim(note)", {"silver", "preflight"}),
        (SHOP, "sequence_by: updated_at", "sequence_by: id", {"silver", "preflight"}),
        (SHOP, "Orders of the shop.", "All orders.", set()),
        (SHOP, "team: sales", "team: shop", set()),
        ("sql/gold/shop/revenue.sql", "sum(", "max(", {"gold"}),
        ("include/contracts/bronze/shop/orders.yml", "than: 0", "than: 1", {"bronze"}),
        ("include/contracts/silver/shop/orders.yml", "than: 0", "than: 1", {"silver", "preflight"}),
        ("include/contracts/gold/shop/revenue.yml", "than: 0", "than: 1", {"gold"}),
    ],
)
def test_a_hash_moves_with_what_its_content_depends_on_rule_8(
    files: Any, file: str, old: str, new: str, changed: set[str]
) -> None:
    before = _hashes(files)
    assert before == _hashes(files)
    files.replace(file, old, new)
    after = _hashes(files)
    assert {name for name in before if before[name] != after[name]} == changed | {"spec"}


def test_fixtures_change_the_preflight_hash_alone(files: Any) -> None:
    spec, table = _load(files), TableName.parse("gold.shop.revenue")
    assert preflight_hash(spec, table, "a") != preflight_hash(spec, table, "b")


def test_transforms_are_tested_and_plain_copies_are_not(files: Any) -> None:
    spec = _load(files)
    assert [table.dotted for table in tables_with_tests(spec)] == ["silver.shop.orders", "gold.shop.revenue"]
    (fixture,) = read_fixtures(files.root, spec, TableName.parse("silver.shop.orders"))
    assert fixture.given == {"bronze.shop.orders": ({"id": 1, "note": " x "},)}
    assert fixture.expect == ({"id": 1, "note": "x"},)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]\n", "a list of tests"),
        ("- {name: a, given: {bronze.shop.orders: [{id: 1}]}}\n", "'expect' is missing"),
        ("- {name: a, given: {}, expect: []}\n", "at least 1 item"),
        ("- {name: a, gven: {}, expect: []}\n", "unknown key 'gven'"),
        ("- {name: a, given: {bronze.shop.orders: x}, expect: []}\n", "no CSV file"),
        ("- &a {name: a}\n", "anchor"),
        ("- {name: a, given: {bronze.shop.orders: []}, expect: []}\n" * 2, "two tests have one name"),
    ],
)
def test_a_wrong_fixture_is_refused(files: Any, text: str, message: str) -> None:
    spec = _load(files)
    files.write({"tests/sources/shop/orders.yml": text})
    with pytest.raises(SpecError, match=message) as caught:
        read_fixtures(files.root, spec, TableName.parse("silver.shop.orders"))
    assert caught.value.where is not None
    assert caught.value.where.file == "tests/sources/shop/orders.yml"
