"""A small repository of files on disk that loads without a finding, to be spoilt one rule at a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

SHOP = """\
description: Orders of the shop.
owner: {team: sales, email: [sales@example.com]}
schedule: {every: 1d}
connection: shop_db
extract: {kind: sql, mode: snapshot}
tables:
  orders:
    key: [id]
    extract: {mode: incremental, cursor: updated_at, lag: 2h, deleted_column: gone}
    silver: {mode: upsert, sequence_by: updated_at}
    columns:
      note: {expression: "trim(note)"}
  customers:
    key: [id]
    silver: {mode: scd2}
gold:
  revenue:
    grain: [day]
"""

REPORT = """\
description: What is sold.
owner: {team: analytics, slack: "#analytics"}
schedule: {assets: [gold.shop.revenue]}
gold:
  totals:
    grain: [day]
"""


def contract(layer: str, source: str, table: str) -> str:
    """The least contract that may gate."""
    return (
        f"dataset: lake/{layer}/{source}__{table}\n"
        "checks: [{row_count: {threshold: {must_be_greater_than: 0}}}]\n"
        f"columns: [{{name: {'day' if layer == 'gold' else 'id'}, checks: [{{missing: {{}}}}]}}]\n"
    )


def good_files() -> dict[str, str]:
    """Path -> text of a repository without a finding."""
    files = {
        "dags/sources/shop.yaml": SHOP,
        "dags/products/report.yaml": REPORT,
        "sql/gold/shop/revenue.sql": (
            "SELECT o.day, sum(o.amount) AS amount\nFROM silver.shop.orders AS o\nGROUP BY o.day\n"
        ),
        "sql/gold/report/totals.sql": "SELECT r.day, r.amount\nFROM gold.shop.revenue AS r\n",
        "tests/sources/shop/orders.yml": (
            "- name: notes lose blanks\n  given: {bronze.shop.orders: [{id: 1, note: ' x '}]}\n"
            "  expect: [{id: 1, note: x}]\n"
        ),
        "tests/sources/shop/revenue.yml": (
            "- name: amounts of a day add up\n  given: {silver.shop.orders: [{day: 2013-01-01, amount: 1}]}\n"
            "  expect: [{day: 2013-01-01, amount: 1}]\n"
        ),
        "tests/sources/report/totals.yml": (
            "- name: days stay\n  given: {gold.shop.revenue: [{day: 2013-01-01, amount: 1}]}\n"
            "  expect: [{day: 2013-01-01, amount: 1}]\n"
        ),
    }
    for layer, source, table in (
        ("bronze", "shop", "orders"),
        ("silver", "shop", "orders"),
        ("bronze", "shop", "customers"),
        ("silver", "shop", "customers"),
        ("gold", "shop", "revenue"),
        ("gold", "report", "totals"),
    ):
        files[f"include/contracts/{layer}/{source}/{table}.yml"] = contract(layer, source, table)
    return files


class RepositoryFiles:
    """Writes files below a root; None as content removes the file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write(good_files())

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        for name, content in files.items():
            path = self.root / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def replace(self, name: str, old: str, new: str) -> None:
        """Change one place of a file, which must be there exactly once."""
        path = self.root / name
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {name}"
        path.write_text(text.replace(old, new))
