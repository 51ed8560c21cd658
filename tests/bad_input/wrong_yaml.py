"""What YAML would take and a reader would misread, or a parser would choke on."""

from __future__ import annotations

from tests.bad_input.bad_input import WrongText

SHOP = "dags/sources/shop.yaml"

WRONG_YAML = (
    WrongText(
        "duplicate key",
        "duplicate key",
        SHOP,
        "connection: shop_db\n",
        "connection: a\nconnection: b\n",
        5,
        "connection",
        "twice",
    ),
    WrongText(
        "YAML anchors bomb",
        "anchor",
        SHOP,
        "key: [id]\n    extract",
        "key: &k [id]\n    extract",
        8,
        None,
        "an anchor is refused",
    ),
    WrongText(
        "YAML anchors bomb",
        "alias bomb",
        SHOP,
        "description: Orders of the shop.",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ndescription: *c",
        1,
        None,
        "an anchor is refused",
    ),
    WrongText(
        "tags", "tag", SHOP, "Orders of the shop.", "!!python/object/apply:os.system [id]", 1, None, "a tag is refused"
    ),
    WrongText(
        "`no` as a key",
        "no as a key",
        SHOP,
        "      note:",
        "      no:",
        12,
        "tables.orders.columns.no",
        "reads the key 'no' as a bool",
        '"no"',
    ),
    WrongText(
        "`no` as a key",
        "no as a value",
        SHOP,
        "team: sales",
        "team: no",
        2,
        "owner.team",
        "quietly read 'no' as a bool",
    ),
    WrongText("", "octal", SHOP, "team: sales", "team: 0123", 2, "owner.team", "quietly read '0123' as a int"),
    WrongText("", "escaped NUL", SHOP, "team: sales", r'team: "\0"', 2, "owner.team", "holds a NUL character"),
    WrongText("", "float that overflows", SHOP, "team: sales", "team: 1.0e+400", 2, "owner.team", "quietly read"),
    WrongText("", "tab", SHOP, "  orders:", "\torders:", 7, None, "a tab does not indent"),
    WrongText("", "control character", SHOP, "team: sales", "team: sa\x1bles", 2, None, "not valid YAML"),
    WrongText("", "merge key", SHOP, "description: Orders of the shop.", "<<: {a: b}", 1, None, "merge keys"),
    WrongText("", "template", SHOP, "shop_db", "'{{ conn.x.password }}'", 4, None, "templates are refused"),
    WrongText("", "two documents", SHOP, "connection:", "---\nconnection:", 4, None, "not valid YAML"),
    WrongText("", "broken YAML", SHOP, "{every: 1d}", "{every: 1d", 4, None, "not valid YAML"),
    WrongText(
        "",
        "no mapping",
        SHOP,
        "description: Orders of the shop.\nowner: {team: sales, email: [sales@example.com]}\nschedule: {every: 1d}\n"
        "connection: shop_db\nextract: {kind: sql, mode: snapshot}\ntables:\n",
        "- a\n- b\n",
        3,
        None,
        "not valid YAML",
    ),
)
