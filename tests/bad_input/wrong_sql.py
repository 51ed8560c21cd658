"""SQL, contracts and fixtures that do not fit the tables they are for."""

from __future__ import annotations

from tests.bad_input.bad_input import WrongText

REPORT = "dags/products/report.yaml"
REVENUE = "sql/gold/shop/revenue.sql"
SHOP = "dags/sources/shop.yaml"

WRONG_SQL = (
    WrongText(
        "",
        "column a gold table lacks",
        "sql/gold/report/totals.sql",
        "r.amount",
        "r.amuont",
        1,
        None,
        "reads a column its input does not have",
        "day, amount",
    ),
    WrongText(
        "",
        "grain not in the output",
        SHOP,
        "[day]",
        "[date]",
        18,
        "gold.revenue.grain[0]",
        "no output column 'date'",
        "day, amount",
    ),
    WrongText(
        "",
        "unknown asset",
        REPORT,
        "gold.shop.revenue",
        "gold.shop.revenu",
        3,
        "schedule.assets[0]",
        "there is no table",
    ),
    WrongText(
        "", "asset that is no table", REPORT, "gold.shop.revenue", "revenue", 3, "schedule.assets[0]", "is no table"
    ),
    WrongText(
        "", "SQL of an unknown table", REVENUE, "silver.shop.orders", "silver.shop.order", 2, None, "there is no table"
    ),
    WrongText(
        "",
        "SQL of another source's unknown table",
        REVENUE,
        "silver.shop.orders",
        "silver.shap.orders",
        2,
        None,
        "no table",
    ),
    WrongText("", "SQL with a clock", REVENUE, "o.day, ", "o.day,\n  current_date AS d, ", 2, None, "another answer"),
    WrongText(
        "", "SQL that reads bronze", REVENUE, "silver.", "bronze.", 2, None, "may not be read here", "silver or gold"
    ),
    WrongText("", "SQL with a star", REVENUE, "o.day, sum(o.amount) AS amount", "*", 1, None, "name the columns"),
    WrongText(
        "", "two statements", REVENUE, "GROUP BY o.day", "GROUP BY o.day; DROP TABLE x", 1, None, "exactly one SELECT"
    ),
    WrongText(
        "", "SQL nested too deep", REVENUE, "sum(o.amount)", "(" * 2000 + "1" + ")" * 2000, 1, None, "nested too deep"
    ),
    WrongText(
        "misspelt `checks`",
        "misspelt checks",
        "include/contracts/gold/shop/revenue.yml",
        "[{name: day, checks:",
        "[{name: day, cheks:",
        3,
        "columns[0].cheks",
        "unknown key 'cheks'",
        "checks",
    ),
    WrongText(
        "",
        "fixture of another table",
        "tests/sources/shop/orders.yml",
        "bronze.shop.orders",
        "silver.shop.orders",
        2,
        "[0].given.silver.shop.orders",
        "does not read this table",
        "bronze.shop.orders",
    ),
)
