"""Lineage of columns that subqueries make of the rows around them."""

from __future__ import annotations

import pytest

from headwater.domain.schema import Column, TableSchema
from headwater.model.sql.lineage import column_lineage

ORDERS, PRICES = "silver.shop.orders", "silver.shop.prices"
SCHEMAS = {
    ORDERS: TableSchema(columns=tuple(Column(name=name, type="int") for name in ("id", "tax", "items"))),
    PRICES: TableSchema(columns=tuple(Column(name=name, type="int") for name in ("id", "price"))),
}
OF_BOTH = {(ORDERS, "tax"), (PRICES, "price")}
FROM_O = f"FROM {ORDERS} AS o"
PLACED = f"FROM {PRICES} AS p WHERE p.id = o.id"


@pytest.mark.parametrize(
    ("sql", "inputs"),
    [
        (f"SELECT u.v {FROM_O}, LATERAL (SELECT SUM(p.price) + o.tax AS v {PLACED}) AS u", OF_BOTH),
        (f"SELECT u.v {FROM_O}, LATERAL (SELECT SUM(price) + tax AS v {PLACED}) AS u", OF_BOTH),
        (f"SELECT u.v {FROM_O}, LATERAL (SELECT price AS v {PLACED}) AS u", {(PRICES, "price")}),
        (f"SELECT v {FROM_O} JOIN LATERAL (SELECT o.tax AS v) AS u ON true", {(ORDERS, "tax")}),
        (f"SELECT v {FROM_O}, LATERAL (SELECT price {PLACED}) AS u(v)", {(PRICES, "price")}),
        (f"SELECT v {FROM_O}, LATERAL (SELECT tax AS v UNION ALL SELECT price {PLACED}) AS u", OF_BOTH),
        (f"SELECT v {FROM_O}, LATERAL (SELECT tax AS t) AS u, LATERAL (SELECT t + price AS v {PLACED}) AS w", OF_BOTH),
        (
            f"SELECT u.v {FROM_O}, LATERAL (SELECT x.q AS v FROM (SELECT price + o.tax AS q {PLACED}) AS x) AS u",
            OF_BOTH,
        ),
        (f"WITH c AS (SELECT tax AS t FROM {ORDERS}) SELECT u.v FROM c AS d, LATERAL (SELECT d.t AS v) AS u",
         {(ORDERS, "tax")}),
        (f"SELECT (SELECT MAX(p.price) + o.tax {PLACED}) AS v {FROM_O}", OF_BOTH),
        (f"SELECT x.v FROM {ORDERS} LATERAL VIEW explode(items) x AS v", {(ORDERS, "items")}),
    ],
)  # fmt: skip
def test_a_subquery_is_made_of_what_it_shows_of_the_rows_around_it(sql: str, inputs: set[tuple[str, str]]) -> None:
    """And of nothing it only filters by, as of no other column."""
    (column,) = column_lineage(sql, SCHEMAS)
    assert (column.column, set(column.inputs)) == ("v", inputs)
