"""Files that are missing, too many, too large or no text."""

from __future__ import annotations

from tests.bad_input.bad_input import WrongFiles

SHOP = "dags/sources/shop.yaml"
REVENUE = "sql/gold/shop/revenue.sql"
CONTRACTS = "include/contracts"
NO_NAME, MISSING, TWINS = "file name that is no identifier", "missing SQL or contract file", "two files for one source"
TEN_MEGABYTES = 10 * 1024 * 1024

WRONG_FILES = (
    WrongFiles(
        "10 MB file", "ten megabytes of comments", {SHOP: "#" * TEN_MEGABYTES}, SHOP, "the file is too large"
    ),
    WrongFiles("10 MB file", "ten megabytes of SQL", {REVENUE: "-" * TEN_MEGABYTES}, REVENUE, "the file is too large"),
    *(
        WrongFiles(NO_NAME, f"file {stem}.yaml", {f"dags/sources/{stem}.yaml": "a: b"}, f"dags/sources/{stem}.yaml",
                   "the file name is no name")
        for stem in ("My-Shop", "1shop", "shop.old", "my shop", "shop__old", "..evil", "é")
    ),
    WrongFiles(TWINS, "shop.yaml and shop.yml", {"dags/sources/shop.yml": "a: b"}, SHOP, "two files name"),
    WrongFiles(TWINS, "a source, and a product of its name", {"dags/products/shop.yaml": "a: b"}, SHOP,
               "two files name"),
    WrongFiles(MISSING, "missing gold SQL", {REVENUE: None}, SHOP, "the SQL file of 'revenue' is missing"),
    *(
        WrongFiles(MISSING, f"missing {layer} contract", {f"{CONTRACTS}/{layer}/shop/{table}.yml": None}, SHOP, message)
        for layer, table, message in (
            ("bronze", "orders", "the bronze contract file"),
            ("silver", "orders", "the silver contract file"),
            ("gold", "revenue", "the contract file of 'revenue'"),
        )
    ),
    WrongFiles("", "missing fixture", {"tests/sources/shop/orders.yml": None}, SHOP, "the fixture file of 'orders'"),
    *(
        WrongFiles("", f"no table's {file}", {file: content}, file, "no table would use this file")
        for file, content in (
            ("sql/silver/shop/ordres.sql", "SELECT o.id FROM bronze.shop.orders AS o"),
            ("sql/silver/shop/revenue.sql", "SELECT o.id FROM bronze.shop.orders AS o"),
            ("sql/gold/shpo/revenue.sql", "SELECT 1 AS day"),
            ("include/contracts/silver/shop/orders.yaml", "checks: []"),
            ("include/contracts/gold/shop/revenu.yml", "checks: []"),
        )
    ),
    *(
        WrongFiles("", f"pipeline {file}", {file: "a: b"}, file, "no DAG would come of this file")
        for file in ("dags/sources/sales/shop.yaml", "dags/sources/orders.YAML", "dags/products/eu/report.yml")
    ),
    WrongFiles("invalid UTF-8", "YAML that is not UTF-8", {SHOP: b"description: \xff"}, SHOP, "not valid UTF-8"),
    WrongFiles("invalid UTF-8", "SQL that is not UTF-8", {REVENUE: b"SELECT '\xff'"}, REVENUE, "not valid UTF-8"),
    WrongFiles("", "NUL", {SHOP: "description: 'a\0b'"}, SHOP, "NUL"),
    WrongFiles("", "empty", {SHOP: ""}, SHOP, "empty"),
    WrongFiles("wrong type", "a list", {SHOP: "- a\n"}, SHOP, "no mapping"),
    WrongFiles("YAML anchors bomb", "nested too deep", {SHOP: "[" * 100_000}, SHOP, "nested deeper"),
    WrongFiles(
        "YAML anchors bomb",
        "a billion laughs",
        {SHOP: "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))},
        SHOP,
        "an anchor is refused",
    ),
)  # fmt: skip
