"""Names that could leave their folder, hide another or meet one of Headwater's own."""

from __future__ import annotations

from tests.bad_input.bad_input import WrongText

SHOP = "dags/sources/shop.yaml"

WRONG_NAMES = (
    WrongText(
        "names such as `../evil`",
        "path as a table name",
        SHOP,
        "  customers:",
        '  "../evil":',
        13,
        "tables.../evil",
        "no name",
        "[a-z][a-z0-9_]*",
    ),
    WrongText("", "double underscore", SHOP, "  customers:", "  cust__omers:", 13, "tables.cust__omers", "no name"),
    WrongText(
        "", "gold named as a table", SHOP, "  revenue:", "  orders:", 17, "gold.orders", "has the name of a table"
    ),
    WrongText(
        "reserved names",
        "reserved prefix",
        SHOP,
        "      note:",
        "      _hw_batch:",
        12,
        "tables.orders.columns._hw_batch",
        "reserved",
    ),
    WrongText(
        "reserved names",
        "reserved by Iceberg",
        SHOP,
        "      note:",
        "      _deleted:",
        12,
        "tables.orders.columns._deleted",
        "reserved",
    ),
    WrongText(
        "reserved names",
        "scd2 column",
        SHOP,
        "{mode: scd2}",
        "{mode: scd2}\n    columns: {x: {rename: valid_from}}",
        16,
        "tables.customers.columns.x",
        "reserved",
    ),
    WrongText(
        "column names equal but for case",
        "equal but for case",
        SHOP,
        "      note:",
        "      Note: {description: a}\n      note:",
        13,
        "tables.orders.columns.note",
        "equal but for case",
    ),
    WrongText(
        "column names with quotes, dots, spaces",
        "rename to no name",
        SHOP,
        'expression: "trim(note)"',
        'rename: "a.b"',
        12,
        "tables.orders.columns.note.rename",
        "no column name",
    ),
    WrongText(
        "",
        "column twice in the key",
        SHOP,
        "key: [id]\n    extract",
        "key: [id, id]\n    extract",
        8,
        "tables.orders.key",
        "twice",
    ),
)
