"""Gold by a Python function: declared in YAML, found in what is installed, never imported by the model (rule 43)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headwater.domain.change import Effect
from headwater.domain.names import Layer
from headwater.domain.spec import PythonTransform
from headwater.model.changes.comparing import spec_changes
from headwater.model.hashes import gold_hash, silver_hash
from headwater.model.python_transforms import source_of
from headwater.model.repository import load_repository

YAML, SQL = "dags/sources/shop.yaml", "sql/gold/shop/revenue.sql"
CODE = "raise RuntimeError('nobody imports this')\n\n\ndef revenue(orders):\n    return orders\n"
DECLARED = "    transform: {python: 'shop_code.gold:revenue', inputs: [silver.shop.orders]}\n"


@pytest.fixture
def coded(files: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The shop whose gold is made by a function of a package on the path."""
    package = tmp_path / "site" / "shop_code"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('nor this')\n")
    (package / "gold.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    source_of.cache_clear()
    files.write({SQL: None})
    files.replace(YAML, "    grain: [day]\n", "    grain: [day]\n" + DECLARED)
    return files


def errors(files: Any) -> list[tuple[str, int | None]]:
    return [(error.message, error.where.line if error.where else None) for error in load_repository(files.root).errors]


def test_its_inputs_are_those_the_yaml_declares(coded: Any) -> None:
    found = load_repository(coded.root)
    assert found.errors == ()
    (gold,) = found.sources[0].gold
    assert [table.dotted for table in gold.inputs] == ["silver.shop.orders"]
    assert gold.sql == ""


def test_other_code_is_other_content(coded: Any, tmp_path: Path) -> None:
    """Rule 8: a table is built again when its function changed."""
    source = load_repository(coded.root).sources[0]
    before = gold_hash(source, source.gold[0])
    (tmp_path / "site/shop_code/gold.py").write_text(CODE + "\n")
    source_of.cache_clear()
    assert gold_hash(source, source.gold[0]) != before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("shop_code.gold:revenue", "shop_code.silver:revenue", "there is no module shop_code.silver"),
        ("shop_code.gold:revenue", "shop_cod.gold:revenue", "there is no module shop_cod.gold"),
        ("shop_code.gold:revenue", "shop_code.gold:income", "shop_code.gold has no function income"),
        ("shop_code.gold:revenue", "shop_code.gold", "should match"),
        ("shop_code.gold:revenue", "../x:revenue", "should match"),
        ("[silver.shop.orders]", "[silver.shop.nobody]", "there is no table silver.shop.nobody"),
        ("[silver.shop.orders]", "[bronze.shop.orders]", "this is no table to read"),
        ("[silver.shop.orders]", "[orders]", "this is no table to read"),
        ("[silver.shop.orders]", "[gold.shop.revenue]", "read one another in a circle"),
        ("    transform", "    mode: merge\n    transform", "mode merge follows SQL"),
    ],
)
def test_what_cannot_be_called_is_refused_with_its_line(coded: Any, old: str, new: str, message: str) -> None:
    coded.replace(YAML, old, new)
    (found,) = (error for error in errors(coded) if message.lower() in error[0].lower())
    assert found[1] is not None


def test_sql_beside_a_function_is_refused(coded: Any) -> None:
    coded.write({SQL: "SELECT o.day FROM silver.shop.orders AS o\n"})
    assert any("there is a SQL file of its name" in message for message, _ in errors(coded))


def test_the_name_splits_at_its_colon() -> None:
    transform = PythonTransform(python="a.b:c", inputs=("silver.a.b",))
    assert (transform.module, transform.function) == ("a.b", "c")


ORDERS = '    columns:\n      note: {expression: "trim(note)"}\n'
SHAPED = ORDERS + "    transform: {python: 'shop_code.gold:revenue'}\n"


def test_silver_may_be_shaped_by_a_function_and_its_code_is_part_of_the_spec(coded: Any, tmp_path: Path) -> None:
    """Other code is another transform, which ``validate --against`` and ``plan_run`` announce (rule 14)."""
    coded.replace(YAML, ORDERS, SHAPED)
    before = load_repository(coded.root)
    assert before.errors == ()
    (tmp_path / "site/shop_code/gold.py").write_text(CODE + "\n")
    source_of.cache_clear()
    old, new = before.sources[0], load_repository(coded.root).sources[0]
    assert old.tables[0].transform == new.tables[0].transform
    assert silver_hash(old, old.tables[0]) != silver_hash(new, new.tables[0])
    (change,) = (change for change in spec_changes(old, new) if change.table.layer is Layer.SILVER)
    assert (change.path, change.effect, change.is_open) == ("transform", Effect.REBUILD, False)


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("shop_code.gold:income", "has no function income"),
        ("shop_code.nowhere:revenue", "there is no module shop_code.nowhere"),
    ],
)
def test_a_silver_function_that_nobody_finds_is_refused(coded: Any, new: str, message: str) -> None:
    coded.replace(YAML, ORDERS, SHAPED.replace("shop_code.gold:revenue", new))
    assert any(message in found and line is not None for found, line in errors(coded))


def test_silver_takes_sql_or_a_function(coded: Any) -> None:
    coded.replace(YAML, ORDERS, "    transform: {python: 'shop_code.gold:revenue'}\n")
    coded.write({"sql/silver/shop/orders.sql": "SELECT * FROM bronze.shop.orders\n"})
    assert any("no place beside sql/silver" in found for found, _ in errors(coded))
