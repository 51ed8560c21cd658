"""Fixtures in YAML and CSV, and what makes a green one worthless."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from headwater.domain.errors import SpecError
from headwater.domain.job import FIXTURE_CLOCK, Fixture
from headwater.domain.names import TableName
from headwater.model import environment
from headwater.model.environment import environment_digest
from headwater.model.fixtures import read_fixtures
from headwater.model.repository import load_pipeline, load_repository
from headwater.model.repository_model import RepositoryModel

ORDERS, CUSTOMERS = TableName.parse("silver.shop.orders"), TableName.parse("silver.shop.customers")
FOLDER = "tests/sources/shop"
IN_CSV = "- {name: a, given: {bronze.shop.orders: orders/given.csv}, expect: orders/expect.csv}\n"
CSV = {f"{FOLDER}/orders/given.csv": "id,note,gone\n1,' x ',true\n2,,\n", f"{FOLDER}/orders/expect.csv": "id\n1\n2\n"}


def _fixtures(files: Any, table: TableName = ORDERS) -> tuple[Fixture, ...]:
    return read_fixtures(files.root, load_pipeline(files.root, files.root / "dags/sources/shop.yaml"), table)


def test_rows_may_stand_in_csv_files_beside_the_fixture(files: Any) -> None:
    files.write({f"{FOLDER}/orders.yml": IN_CSV, **CSV})
    (fixture,) = _fixtures(files)
    assert fixture.given["bronze.shop.orders"] == (
        {"id": 1, "note": "' x '", "gone": True},
        {"id": 2, "note": None, "gone": None},
    )
    assert fixture.expect == ({"id": 1}, {"id": 2})
    assert load_repository(files.root).errors == ()


@pytest.mark.parametrize(
    ("csv", "rows"),
    [
        ("a,b\n01,1.5\n", ({"a": "01", "b": 1.5},)),
        ('a,b\n"",x\n', ({"a": "", "b": "x"},)),
        ('a,b\n"two\nlines",1e3\n', ({"a": "two\nlines", "b": 1000.0},)),
        ("a,b\n1,2013-01-01\nx,\n", ({"a": "1", "b": "2013-01-01"}, {"a": "x", "b": None})),
        ("a\n", ()),
        ("a\n1\n\n3\n", ({"a": 1}, {"a": None}, {"a": 3})),
    ],
)
def test_a_csv_is_read_as_yaml_would_read_its_values(files: Any, csv: str, rows: Any) -> None:
    files.write({f"{FOLDER}/orders.yml": IN_CSV, **CSV, f"{FOLDER}/orders/given.csv": csv})
    assert _fixtures(files)[0].given["bronze.shop.orders"] == rows


def test_a_declared_type_keeps_the_text_of_a_csv(files: Any) -> None:
    text = IN_CSV.replace("}\n", ", types: {bronze.shop.orders: {id: string}}}\n")
    files.write({f"{FOLDER}/orders.yml": text, **CSV})
    (fixture,) = _fixtures(files)
    assert [row["id"] for row in fixture.given["bronze.shop.orders"]] == ["1", "2"]
    assert fixture.types == {"bronze.shop.orders": {"id": "string"}}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("../given.csv", None, "no CSV file of this fixture"),
        ("/etc/passwd", None, "no CSV file of this fixture"),
        ("orders/given.txt", None, "no CSV file of this fixture"),
        ("orders/none.csv", None, "missing"),
        ("orders/given.csv", "a,b\n1\n", "not valid CSV"),
        ("orders/given.csv", "", "not valid CSV"),
        ("orders/given.csv", "a,a\n1,2\n", "names each column once"),
        ("orders/given.csv", b"a\n\xff\n", "UTF-8"),
    ],
)
def test_a_wrong_csv_is_refused(files: Any, name: str, content: Any, message: str) -> None:
    files.write({f"{FOLDER}/orders.yml": IN_CSV.replace("orders/given.csv", name), **CSV})
    if content is not None:
        files.write({f"{FOLDER}/orders/given.csv": content})
    with pytest.raises(SpecError, match=message) as caught:
        _fixtures(files)
    assert caught.value.where is not None


def test_the_clock_of_a_fixture_stands_still(files: Any) -> None:
    text = "- {name: a, given: {bronze.shop.orders: [{id: 1}]}, expect: []}\n"
    timed = text.replace("name: a", "name: b, planned_at: 2026-03-31T00:00:00Z")
    files.write({f"{FOLDER}/orders.yml": text + timed})
    assert [f.planned_at for f in _fixtures(files)] == [FIXTURE_CLOCK, datetime(2026, 3, 31, tzinfo=UTC)]
    assert [f.line for f in _fixtures(files)] == [1, 2]


def test_an_unknown_type_or_table_of_types_is_refused(files: Any) -> None:
    text = "- {name: a, given: {bronze.shop.orders: [{id: 1}]}, expect: [], types: {bronze.shop.orders: {id: number}}}"
    files.write({f"{FOLDER}/orders.yml": text + "\n"})
    with pytest.raises(SpecError, match="no such type"):
        _fixtures(files)
    files.replace(f"{FOLDER}/orders.yml", "types: {bronze.shop.orders", "types: {bronze.shop.nope")
    with pytest.raises(SpecError, match="does not read this table"):
        _fixtures(files)


def test_a_fixture_nobody_must_write_is_tested_too(files: Any) -> None:
    model = RepositoryModel(files.root)
    assert CUSTOMERS not in model.preflight_hashes(model.load("shop"))
    files.write({f"{FOLDER}/customers.yml": "- {name: a, given: {bronze.shop.customers: [{id: 1}]}, expect: []}\n"})
    assert CUSTOMERS in model.preflight_hashes(model.load("shop"))
    assert [item.table for item in model.preflight_tables(model.load("shop"), {CUSTOMERS})] == [CUSTOMERS]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (f"{FOLDER}/ordres.yml", "[]"),
        (f"{FOLDER}/orders.yaml", "[]"),
        (f"{FOLDER}/orders/old.csv", "a\n"),
        ("tests/sources/shp/orders.yml", "[]"),
    ],
)
def test_a_file_that_no_test_would_read_is_refused(files: Any, file: str, content: str) -> None:
    files.write({file: content})
    (error,) = load_repository(files.root).errors
    assert error.where is not None
    assert file.startswith(error.where.file)


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("dags/sources/shop.yaml", "trim(note)", "ltrim(note)", {"silver.shop.orders"}),
        ("sql/gold/shop/revenue.sql", "sum(", "max(", {"gold.shop.revenue"}),
        ("include/contracts/gold/shop/revenue.yml", "than: 0", "than: 1", {"gold.shop.revenue"}),
        (f"{FOLDER}/orders.yml", "note: x", "note: y", {"silver.shop.orders"}),
        (f"{FOLDER}/revenue.yml", "amounts of a day", "sums of a day", {"gold.shop.revenue"}),
        ("uv.lock", "pyspark 1", "pyspark 2", {"silver.shop.orders", "gold.shop.revenue"}),
        ("dags/sources/shop.yaml", "Orders of the shop.", "All orders.", set()),
    ],
)
def test_the_tables_whose_inputs_changed_are_tested_again_and_no_other(
    files: Any, file: str, old: str, new: str, changed: set[str]
) -> None:
    files.write({"uv.lock": "pyspark 1"})

    def hashes() -> dict[TableName, str]:
        model = RepositoryModel(files.root)
        return model.preflight_hashes(model.load("shop"))

    before = hashes()
    assert before == hashes()
    files.replace(file, old, new)
    after = hashes()
    assert {table.dotted for table in before if before[table] != after[table]} == changed


def test_code_and_lock_count(files: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = environment_digest(files.root)
    files.write({"requirements.txt": "sqlglot==1\n"})
    locked = environment_digest(files.root)
    monkeypatch.setattr(environment, "_installed", lambda: "headwater 9")
    assert len({before, locked, environment_digest(files.root)}) == 3


def test_the_code_of_the_spark_part_is_in_the_digest() -> None:
    assert "entrypoints/preflight.py " in environment._installed()
