"""Every way a file of the repository can be wrong: what the error names, and that its neighbours still load."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from headwater.model.repository import load_repository

SHOP = "dags/sources/shop.yaml"
REPORT = "dags/products/report.yaml"
REVENUE = "sql/gold/shop/revenue.sql"


class Case(NamedTuple):
    """``file`` has ``old`` replaced by ``new``; the first error then names file, line and key, and says these words."""

    id: str
    file: str
    old: str
    new: str
    line: int | None
    key: str | None
    message: str
    allowed: str = ""


CASES = [
    Case(
        "column a gold table lacks",
        "sql/gold/report/totals.sql",
        "r.amount",
        "r.amuont",
        1,
        None,
        "reads a column its input does not have",
        "day, amount",
    ),
    Case("unknown key", SHOP, "connection:", "conection:", 4, "conection", "unknown key 'conection'", "connection"),
    Case(
        "unknown key of a table",
        SHOP,
        "    key: [id]\n    silver",
        "    keys: [id]\n    silver",
        14,
        "tables.customers.keys",
        "unknown key",
        "columns, description, drift, extract, key",
    ),
    Case(
        "unknown key of an extract",
        SHOP,
        "cursor:",
        "cursr:",
        9,
        "tables.orders.extract.cursr",
        "unknown key",
        "bad_cursor, cursor",
    ),
    Case(
        "unknown key of the extract defaults",
        SHOP,
        "mode: snapshot",
        "mod: snapshot",
        5,
        "extract.mod",
        "unknown key",
        "mode",
    ),
    Case(
        "unknown key of silver",
        SHOP,
        "{mode: scd2}",
        "{mode: scd2, trak: [id]}",
        15,
        "tables.customers.silver.trak",
        "unknown key",
        "track",
    ),
    Case(
        "wrong type", SHOP, "key: [id]\n    extract", "key: id\n    extract", 8, "tables.orders.key", "tuple", "a list"
    ),
    Case(
        "wrong value",
        SHOP,
        "mode: scd2",
        "mode: scd3",
        15,
        "tables.customers.silver.mode",
        "the value should be",
        "'append', 'upsert', 'scd2' or 'cdc'",
    ),
    Case("wrong kind", SHOP, "kind: sql", "kind: sqll", 5, "extract.kind", "no such kind", "sql, files"),
    Case("missing key", SHOP, "connection: shop_db\n", "", 1, "connection", "'connection' is missing"),
    Case("duplicate key", SHOP, "connection: shop_db\n", "connection: a\nconnection: b\n", 5, "connection", "twice"),
    Case("anchor", SHOP, "key: [id]\n    extract", "key: &k [id]\n    extract", 8, None, "an anchor is refused"),
    Case(
        "alias bomb",
        SHOP,
        "description: Orders of the shop.",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ndescription: *c",
        1,
        None,
        "an anchor is refused",
    ),
    Case("tag", SHOP, "Orders of the shop.", "!!python/object/apply:os.system [id]", 1, None, "a tag is refused"),
    Case(
        "no as a key",
        SHOP,
        "      note:",
        "      no:",
        12,
        "tables.orders.columns.no",
        "reads the key 'no' as a bool",
        '"no"',
    ),
    Case("no as a value", SHOP, "team: sales", "team: no", 2, "owner.team", "quietly read 'no' as a bool"),
    Case("octal", SHOP, "team: sales", "team: 0123", 2, "owner.team", "quietly read '0123' as a int"),
    Case("merge key", SHOP, "description: Orders of the shop.", "<<: {a: b}", 1, None, "merge keys"),
    Case("template", SHOP, "shop_db", "'{{ conn.x.password }}'", 4, None, "templates are refused"),
    Case("two documents", SHOP, "connection:", "---\nconnection:", 4, None, "not valid YAML"),
    Case("broken YAML", SHOP, "{every: 1d}", "{every: 1d", 4, None, "not valid YAML"),
    Case(
        "no mapping",
        SHOP,
        "description: Orders of the shop.\nowner: {team: sales, email: [sales@example.com]}\n"
        "schedule: {every: 1d}\nconnection: shop_db\nextract: {kind: sql, mode: snapshot}\ntables:\n",
        "- a\n- b\n",
        3,
        None,
        "not valid YAML",
    ),
    Case(
        "path as a table name", SHOP, "  customers:", '  "../evil":', 13, "tables.../evil", "no name", "[a-z][a-z0-9_]*"
    ),
    Case("double underscore", SHOP, "  customers:", "  cust__omers:", 13, "tables.cust__omers", "no name"),
    Case("gold named as a table", SHOP, "  revenue:", "  orders:", 17, "gold.orders", "has the name of a table"),
    Case(
        "incremental without cursor",
        SHOP,
        "cursor: updated_at, ",
        "",
        9,
        "tables.orders.extract.cursor",
        "needs a cursor",
    ),
    Case(
        "cursor in a snapshot",
        SHOP,
        "mode: incremental, cursor",
        "mode: snapshot, cursor",
        9,
        "tables.orders.extract.cursor",
        "belongs to mode incremental",
    ),
    Case(
        "append with lag and no key",
        SHOP,
        "key: [id]\n    extract: {mode: incremental, cursor: updated_at, lag: 2h, deleted_column: gone}\n"
        "    silver: {mode: upsert, sequence_by: updated_at}",
        "extract: {mode: incremental, cursor: updated_at, lag: 2h, deleted_column: gone}\n    silver: {mode: append}",
        7,
        "tables.orders.key",
        "append with lag",
    ),
    Case(
        "append after a snapshot",
        SHOP,
        "{mode: scd2}",
        "{mode: append}",
        15,
        "tables.customers.silver.mode",
        "append cannot follow a snapshot",
    ),
    Case(
        "scd2 without key",
        SHOP,
        "    key: [id]\n    silver: {mode: scd2}",
        "    silver: {mode: scd2}",
        13,
        "tables.customers.key",
        "scd2 needs a key",
    ),
    Case(
        "upsert without sequence",
        SHOP,
        ", sequence_by: updated_at",
        "",
        10,
        "tables.orders.silver.sequence_by",
        "needs sequence_by",
    ),
    Case(
        "scd2 words for upsert",
        SHOP,
        "sequence_by: updated_at}",
        "sequence_by: updated_at, track: [id]}",
        10,
        "tables.orders.silver.track",
        "belongs to silver mode scd2",
    ),
    Case(
        "column twice in the key",
        SHOP,
        "key: [id]\n    extract",
        "key: [id, id]\n    extract",
        8,
        "tables.orders.key",
        "twice",
    ),
    Case("reserved prefix", SHOP, "      note:", "      _hw_batch:", 12, "tables.orders.columns._hw_batch", "reserved"),
    Case(
        "reserved by Iceberg", SHOP, "      note:", "      _deleted:", 12, "tables.orders.columns._deleted", "reserved"
    ),
    Case(
        "scd2 column",
        SHOP,
        "{mode: scd2}",
        "{mode: scd2}\n    columns: {x: {rename: valid_from}}",
        16,
        "tables.customers.columns.x",
        "reserved",
    ),
    Case(
        "equal but for case",
        SHOP,
        "      note:",
        "      Note: {}\n      note:",
        13,
        "tables.orders.columns.note",
        "equal but for case",
    ),
    Case(
        "rename to no name",
        SHOP,
        'expression: "trim(note)"',
        'rename: "a.b"',
        12,
        "tables.orders.columns.note.rename",
        "no column name",
    ),
    Case(
        "expression that is no SQL",
        SHOP,
        "trim(note)",
        "trim(note",
        12,
        "tables.orders.columns.note.expression",
        "not valid Spark SQL",
    ),
    Case(
        "expression with a clock",
        SHOP,
        "trim(note)",
        "now()",
        12,
        "tables.orders.columns.note.expression",
        "another answer",
    ),
    Case(
        "expression over many rows",
        SHOP,
        "trim(note)",
        "sum(id)",
        12,
        "tables.orders.columns.note.expression",
        "does not belong to one row",
    ),
    Case("no schedule", SHOP, "{every: 1d}", "{}", 3, "schedule", "exactly one form", "every, cron, assets, manual"),
    Case("two schedules", SHOP, "{every: 1d}", "{every: 1d, manual: true}", 3, "schedule", "exactly one form"),
    Case("cron with four fields", SHOP, "{every: 1d}", "{cron: '0 * * *'}", 3, "schedule.cron", "five fields"),
    Case("cron out of range", SHOP, "{every: 1d}", "{cron: '0 24 * * *'}", 3, "schedule.cron", "the hour"),
    Case(
        "no such time zone",
        SHOP,
        "{every: 1d}",
        "{cron: '0 1 * * *', timezone: Mars/Base}",
        3,
        "schedule.timezone",
        "no such time zone",
    ),
    Case("duration without unit", SHOP, "{every: 1d}", "{every: 5}", 3, "schedule.every", "whole number and one unit"),
    Case("owner without address", SHOP, ", email: [sales@example.com]", "", 2, "owner", "an owner needs an address"),
    Case(
        "no mail address", SHOP, "sales@example.com", '"a@b.c\\r\\nBcc: x@y.z"', 2, "owner.email[0]", "no mail address"
    ),
    Case(
        "unknown asset", REPORT, "gold.shop.revenue", "gold.shop.revenu", 3, "schedule.assets[0]", "there is no table"
    ),
    Case("asset that is no table", REPORT, "gold.shop.revenue", "revenue", 3, "schedule.assets[0]", "is no table"),
    Case(
        "grain not in the output",
        SHOP,
        "[day]",
        "[date]",
        18,
        "gold.revenue.grain[0]",
        "no output column 'date'",
        "day, amount",
    ),
    Case("SQL of an unknown table", REVENUE, "silver.shop.orders", "silver.shop.order", 2, None, "there is no table"),
    Case(
        "SQL of another source's unknown table",
        REVENUE,
        "silver.shop.orders",
        "silver.shap.orders",
        2,
        None,
        "no table",
    ),
    Case("SQL with a clock", REVENUE, "o.day, ", "o.day,\n  current_date AS d, ", 2, None, "another answer"),
    Case("SQL that reads bronze", REVENUE, "silver.", "bronze.", 2, None, "may not be read here", "silver or gold"),
    Case("SQL with a star", REVENUE, "o.day, sum(o.amount) AS amount", "*", 1, None, "name the columns"),
    Case("two statements", REVENUE, "GROUP BY o.day", "GROUP BY o.day; DROP TABLE x", 1, None, "exactly one SELECT"),
    Case(
        "misspelt checks",
        "include/contracts/gold/shop/revenue.yml",
        "[{name: id, checks:",
        "[{name: id, cheks:",
        3,
        "columns[0].cheks",
        "unknown key 'cheks'",
        "checks",
    ),
    Case(
        "fixture of another table",
        "tests/sources/shop/orders.yml",
        "bronze.shop.orders",
        "silver.shop.orders",
        2,
        "[0].given.silver.shop.orders",
        "does not read this table",
        "bronze.shop.orders",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_wrong_text_is_refused_with_its_place(files: Any, case: Case) -> None:
    files.replace(case.file, case.old, case.new)
    error = load_repository(files.root).errors[0]
    assert error.code == "spec_invalid"
    assert not error.retry_helps
    assert error.where is not None
    assert case.message in error.message
    assert case.allowed in (error.allowed or "")
    assert (error.where.file, error.where.line, error.where.key) == (case.file, case.line, case.key)


FILES = [
    ("file name", {"dags/sources/My-Shop.yaml": "a: b"}, "dags/sources/My-Shop.yaml", "the file name is no name"),
    ("two files for one source", {"dags/sources/shop.yml": "a: b"}, "dags/sources/shop.yaml", "two files name"),
    ("source and product of one name", {"dags/products/shop.yaml": "a: b"}, "dags/sources/shop.yaml", "two files name"),
    ("missing SQL", {"sql/gold/shop/revenue.sql": None}, SHOP, "the SQL file of 'revenue' is missing"),
    (
        "missing gold contract",
        {"include/contracts/gold/shop/revenue.yml": None},
        SHOP,
        "the contract file of 'revenue'",
    ),
    ("missing bronze contract", {"include/contracts/bronze/shop/orders.yml": None}, SHOP, "the bronze contract file"),
    ("missing silver contract", {"include/contracts/silver/shop/orders.yml": None}, SHOP, "the silver contract file"),
    ("missing fixture", {"tests/sources/shop/orders.yml": None}, SHOP, "the fixture file of 'orders'"),
    ("too large", {SHOP: "#" * (10 * 1024 * 1024)}, SHOP, "the file is too large"),
    ("not UTF-8", {SHOP: b"description: \xff"}, SHOP, "not valid UTF-8"),
    ("NUL", {SHOP: "description: 'a\0b'"}, SHOP, "NUL"),
    ("empty", {SHOP: ""}, SHOP, "empty"),
    ("a list", {SHOP: "- a\n"}, SHOP, "no mapping"),
    ("nested too deep", {SHOP: "[" * 100_000}, SHOP, "nested deeper"),
    ("SQL not UTF-8", {REVENUE: b"SELECT '\xff'"}, REVENUE, "not valid UTF-8"),
]


@pytest.mark.parametrize(("changes", "file", "message"), [case[1:] for case in FILES], ids=[case[0] for case in FILES])
def test_wrong_files_are_refused_by_name(files: Any, changes: dict[str, str | None], file: str, message: str) -> None:
    files.write(changes)
    errors = load_repository(files.root).errors
    found = [error for error in errors if message in error.message]
    assert found, [str(error) for error in errors]
    assert found[0].where is not None
    assert found[0].where.file == file


def test_a_good_repository_has_no_finding(files: Any) -> None:
    repository = load_repository(files.root)
    assert repository.errors == ()
    assert repository.warnings == ()
    assert [pipeline.name for pipeline in repository.pipelines] == ["shop", "report"]


def test_a_wrong_file_leaves_its_neighbours_loaded(files: Any) -> None:
    files.write({"dags/sources/broken.yaml": "tables: ["})
    repository = load_repository(files.root)
    assert [pipeline.name for pipeline in repository.pipelines] == ["shop", "report"]
    assert len(repository.errors) == 1


def test_all_findings_of_a_file_are_reported_at_once(files: Any) -> None:
    files.replace(SHOP, "{mode: scd2}", "{mode: append}")
    files.replace(SHOP, "cursor: updated_at, ", "")
    assert len(load_repository(files.root).errors) == 2


def test_near_misses_are_suggested(files: Any) -> None:
    files.replace(SHOP, "connection:", "conection:")
    remedies = [error.remedy or "" for error in load_repository(files.root).errors]
    assert any("did you mean 'connection'" in remedy for remedy in remedies)


def test_invisible_deletes_are_a_warning_rule_31(files: Any) -> None:
    files.replace(SHOP, ", deleted_column: gone", "")
    repository = load_repository(files.root)
    assert repository.errors == ()
    assert "invisible" in repository.warnings[0].message
    assert repository.warnings[0].where is not None
    assert repository.warnings[0].where.line == 9


def test_no_error_names_a_path_outside_the_repository(files: Any, tmp_path: Path) -> None:
    files.replace(SHOP, "  customers:", '  "../../etc/passwd":')
    assert str(tmp_path) not in "".join(str(error) for error in load_repository(files.root).errors)
