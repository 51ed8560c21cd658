"""Pipelines that wait for one another are refused, each in its own file; a chain of them is none."""

from __future__ import annotations

from typing import Any

from tests.unit.model.repository_files import REPORT, contract, good_files

from headwater.model.repository import load_repository

REPORT_YAML, OTHER_YAML, SHOP_YAML = "dags/products/report.yaml", "dags/products/other.yaml", "dags/sources/shop.yaml"
REVENUE, REPORT_TOTALS, OTHER_TOTALS = "gold.shop.revenue", "gold.report.totals", "gold.other.totals"


def product(name: str, asset: str, table: str) -> dict[str, str]:
    """The files of a product that starts with one table and reads another."""
    return {
        f"dags/products/{name}.yaml": REPORT.replace(REVENUE, asset),
        f"sql/gold/{name}/totals.sql": f"SELECT r.day, r.amount\nFROM {table} AS r\n",
        f"include/contracts/gold/{name}/totals.yml": contract("gold", name, "totals"),
        f"tests/sources/{name}/totals.yml": good_files()["tests/sources/report/totals.yml"].replace(REVENUE, table),
    }


def found(files: Any) -> set[tuple[str, str | None, str | None]]:
    errors = load_repository(files.root).errors
    assert all("circle" in error.message for error in errors)
    return {(error.where.file, error.where.key, error.got) for error in errors if error.where is not None}


def test_a_chain_of_products_is_fine(files: Any) -> None:
    files.write(product("other", REPORT_TOTALS, REPORT_TOTALS))
    assert found(files) == set()


def test_products_that_read_one_another_are_refused(files: Any) -> None:
    files.write(product("other", REVENUE, REPORT_TOTALS) | product("report", REVENUE, OTHER_TOTALS))
    assert found(files) == {
        (REPORT_YAML, "gold.totals", f"{REPORT_TOTALS}, {OTHER_TOTALS}"),
        (OTHER_YAML, "gold.totals", f"{OTHER_TOTALS}, {REPORT_TOTALS}"),
    }


def test_products_that_start_one_another_are_refused(files: Any) -> None:
    files.write(product("other", REPORT_TOTALS, REVENUE) | product("report", OTHER_TOTALS, REVENUE))
    assert found(files) == {
        (REPORT_YAML, "schedule.assets", "report, other"),
        (OTHER_YAML, "schedule.assets", "other, report"),
    }


def test_a_source_that_starts_itself_is_refused(files: Any) -> None:
    files.replace(SHOP_YAML, "{every: 1d}", "{assets: [silver.shop.orders]}")
    assert found(files) == {(SHOP_YAML, "schedule.assets", "shop")}
