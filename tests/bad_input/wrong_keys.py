"""Keys and values of a YAML file that its schema does not know."""

from __future__ import annotations

from tests.bad_input.bad_input import WrongText

SHOP = "dags/sources/shop.yaml"

WRONG_KEYS = (
    WrongText(
        "unknown key",
        "unknown key",
        SHOP,
        "connection:",
        "conection:",
        4,
        "conection",
        "unknown key 'conection'",
        "connection",
    ),
    WrongText(
        "unknown key",
        "unknown key of a table",
        SHOP,
        "    key: [id]\n    silver",
        "    keys: [id]\n    silver",
        14,
        "tables.customers.keys",
        "unknown key",
        "columns, description, drift, extract, key",
    ),
    WrongText(
        "unknown key",
        "unknown key of an extract",
        SHOP,
        "cursor:",
        "cursr:",
        9,
        "tables.orders.extract.cursr",
        "unknown key",
        "bad_cursor, chunk_rows, cursor",
    ),
    WrongText(
        "unknown key",
        "unknown key of the extract defaults",
        SHOP,
        "mode: snapshot",
        "mod: snapshot",
        5,
        "extract.mod",
        "unknown key",
        "mode",
    ),
    WrongText(
        "unknown key",
        "unknown key of silver",
        SHOP,
        "{mode: scd2}",
        "{mode: scd2, trak: [id]}",
        15,
        "tables.customers.silver.trak",
        "unknown key",
        "track",
    ),
    WrongText(
        "wrong type",
        "wrong type",
        SHOP,
        "key: [id]\n    extract",
        "key: id\n    extract",
        8,
        "tables.orders.key",
        "a list",
        "a list",
    ),
    WrongText(
        "wrong type",
        "wrong value",
        SHOP,
        "mode: scd2",
        "mode: scd3",
        15,
        "tables.customers.silver.mode",
        "the value should be",
        "'append', 'upsert', 'scd2' or 'cdc'",
    ),
    WrongText(
        "wrong type", "wrong kind", SHOP, "kind: sql", "kind: sqll", 5, "extract.kind", "no such kind", "sql, files"
    ),
    WrongText("", "missing key", SHOP, "connection: shop_db\n", "", 1, "connection", "'connection' is missing"),
    WrongText(
        "", "no schedule", SHOP, "{every: 1d}", "{}", 3, "schedule", "exactly one form", "every, cron, assets, manual"
    ),
    WrongText("", "two schedules", SHOP, "{every: 1d}", "{every: 1d, manual: true}", 3, "schedule", "exactly one form"),
    WrongText("", "cron with four fields", SHOP, "{every: 1d}", "{cron: '0 * * *'}", 3, "schedule.cron", "five fields"),
    WrongText("", "cron out of range", SHOP, "{every: 1d}", "{cron: '0 24 * * *'}", 3, "schedule.cron", "the hour"),
    WrongText(
        "",
        "no such time zone",
        SHOP,
        "{every: 1d}",
        "{cron: '0 1 * * *', timezone: Mars/Base}",
        3,
        "schedule.timezone",
        "no such time zone",
    ),
    WrongText(
        "", "duration without unit", SHOP, "{every: 1d}", "{every: 5}", 3, "schedule.every", "whole number and one unit"
    ),
    WrongText("", "duration of ages", SHOP, "{every: 1d}", "{every: 999999999w}", 3, "schedule.every", "too long"),
    WrongText(
        "",
        "address as a connection",
        SHOP,
        "shop_db",
        "postgres://u:secret@h/db",
        4,
        "connection",
        "the value should match",
        "Airflow connection id; never a secret",
    ),
    WrongText("", "schedule of no time", SHOP, "{every: 1d}", "{every: 0s}", 3, "schedule.every", "once a minute"),
    WrongText(
        "",
        "cron of a day that never comes",
        SHOP,
        "{every: 1d}",
        "{cron: '0 1 30-31 feb *'}",
        3,
        "schedule.cron",
        "no day of any year",
    ),
    WrongText(
        "", "owner without address", SHOP, ", email: [sales@example.com]", "", 2, "owner", "an owner needs an address"
    ),
    WrongText(
        "",
        "no mail address",
        SHOP,
        "sales@example.com",
        '"a@b.c\\r\\nBcc: x@y.z"',
        2,
        "owner.email[0]",
        "no mail address",
    ),
)
