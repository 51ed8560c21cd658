"""What an edit does to the tables that exist (rule 14)."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.change import Effect, SpecChange
from headwater.domain.errors import SpecError
from headwater.model.changes.comparing import spec_changes
from headwater.model.hashes import gold_hash, silver_hash
from headwater.model.repository import load_pipeline

SHOP = "dags/sources/shop.yaml"
REVENUE = "sql/gold/shop/revenue.sql"
ORDERS, CUSTOMERS = "silver.shop.orders", "silver.shop.customers"
LANDING = """\
description: Orders of the shop.
owner: {team: sales, email: [sales@example.com]}
schedule: {every: 1d}
connection: shop_db
tables:
  orders:
    key: [id]
    drift: evolve
    extract: {kind: files, path: in, columns: {id: int, note: string, amount: float, day: date}}
    silver: {mode: append}
    columns:
      note: {expression: "trim(note)"}
      made: {expression: "upper(note)"}
      amount: {type: double}
"""


def _load(files: Any) -> Any:
    return load_pipeline(files.root, files.root / SHOP)


def _changes(files: Any, *edits: tuple[str, str, str]) -> tuple[SpecChange, ...]:
    before = _load(files)
    for file, old, new in edits:
        files.replace(file, old, new)
    return spec_changes(before, _load(files))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("    key: [id]\n    extract: {m", "    key: [id, day]\n    extract: {m", (ORDERS, "key", "rebuild", True)),
        ("mode: upsert, sequence_by: updated_at", "mode: upsert, sequence_by: day",
         (ORDERS, "silver.sequence_by", "rebuild", True)),
        ("mode: upsert, sequence_by", "mode: scd2, sequence_by", (ORDERS, "silver.mode", "rebuild", True)),
        ("mode: scd2}", "mode: scd2, track: [name]}", (CUSTOMERS, "silver.track", "rebuild", True)),
        ("mode: scd2}", "mode: scd2, valid_from: since}", (CUSTOMERS, "silver.valid_from", "rebuild", True)),
        ("trim(note)", "ltrim(note)", (ORDERS, "columns.note.expression", "rebuild", False)),
        ('"trim(note)"', '"trim(note)", rename: remark', (ORDERS, "columns.note.rename", "rebuild", True)),
        ('"trim(note)"', '"trim(note)", type: string', (ORDERS, "columns.note.type", "rebuild", True)),
        (", deleted_column: gone", "", (ORDERS, "extract.deleted_column", "rebuild", False)),
        ("cursor: updated_at", "cursor: changed_at", ("bronze.shop.orders", "extract.cursor", "refuse", False)),
        ("cursor: updated_at", "cursor: updated_at, relation: public.o",
         ("bronze.shop.orders", "extract.relation", "nothing", False)),
        ("    grain: [day]", "    grain: [day, amount]", ("gold.shop.revenue", "grain", "rebuild", True)),
        ("    grain: [day]", "    mode: merge\n    grain: [day]", ("gold.shop.revenue", "mode", "rebuild", False)),
        ("sequence_by: updated_at}", "sequence_by: updated_at, sort_by: [id]}",
         (ORDERS, "silver.sort_by", "nothing", False)),
        ("    grain: [day]", "    sort_by: [day]\n    grain: [day]", ("gold.shop.revenue", "sort_by", "evolve", False)),
    ],
)  # fmt: skip
def test_each_edit_says_what_it_does_to_which_table(
    files: Any, old: str, new: str, expected: tuple[str, str, str, bool]
) -> None:
    (change,) = _changes(files, (SHOP, old, new))
    assert (change.table.dotted, change.path, change.effect.value, bool(change.destroys)) == expected
    assert change.is_open == expected[3]


def test_a_rule_that_is_new_is_not_said_to_have_had_an_earlier_one(files: Any) -> None:
    (first,) = _changes(files, (SHOP, '"trim(note)"}', '"trim(note)"}\n      card: {mask: hash}'))
    (back,) = _changes(files, (SHOP, "      card: {mask: hash}\n", ""))
    assert (first.why, back.why) == (
        "rows refined so far hold the value itself", "rows refined so far hold the value as it was masked before",
    )  # fmt: skip


def test_full_extracts_go_on_as_such(files: Any) -> None:
    """Rule 31: they alone tell what was deleted so far; a table derived again without them would have it back."""
    files.replace(SHOP, "silver: {mode: scd2}", "silver: {mode: scd2, sequence_by: at}")
    extract = "    extract: {mode: incremental, cursor: at}\n    silver: {mode: scd2, "
    changes = _changes(files, (SHOP, "    silver: {mode: scd2, ", extract))
    found = [(c.table.layer.value, c.effect.value) for c in changes if c.path == "extract.mode"]
    assert found == [("bronze", "refuse"), ("silver", "nothing")]


def test_words_layout_and_schedule_change_no_table(files: Any) -> None:
    edits = [
        (SHOP, "Orders of the shop.", "All orders."),
        (SHOP, "every: 1d", "every: 2d"),
        (SHOP, "lag: 2h", "lag: 3h"),
        (SHOP, "team: sales", "team: shop"),
        (REVENUE, "SELECT o.day,", "-- by day\nSELECT\n  o.day,"),
    ]
    assert _changes(files, *edits) == ()


def test_gold_sql_that_drops_a_column_destroys_it_and_other_sql_does_not(files: Any) -> None:
    (change,) = _changes(files, (REVENUE, "sum(", "max("))
    assert (change.path, change.effect, change.is_open) == ("sql", Effect.REBUILD, False)
    assert str(change.was).startswith("sha256:")
    (change,) = _changes(files, (REVENUE, "AS amount", "AS total"))
    assert change.destroys == "the columns amount"
    assert change.is_open


def test_silver_sql_that_comes_and_goes_makes_the_table_anew(files: Any) -> None:
    files.replace(SHOP, '    columns:\n      note: {expression: "trim(note)"}\n', "")
    before = _load(files)
    files.write({"sql/silver/shop/orders.sql": "SELECT * FROM bronze.shop.orders\n"})
    (change,) = spec_changes(before, _load(files))
    assert (change.path, change.was, change.effect, change.is_open) == ("sql", None, Effect.REBUILD, False)


def test_a_rebuild_of_a_history_keeps_what_was_known_when(files: Any) -> None:
    files.replace(SHOP, "    silver: {mode: scd2}\n", '    silver: {mode: scd2}\n    columns: {n: {expression: "n"}}\n')
    files.write(
        {"tests/sources/shop/customers.yml": "- {name: a, given: {bronze.shop.customers: [{n: 1}]}, expect: []}\n"}
    )
    (change,) = _changes(files, (SHOP, '"n"}}', '"n + 1"}}'))
    assert (change.effect, change.destroys) == (Effect.REBUILD, "")


@pytest.mark.parametrize(
    ("old", "new", "reshapes"),
    [
        ("mode: upsert, sequence_by", "mode: scd2, sequence_by", True),
        ("    silver: {mode: scd2}", "    silver: {mode: upsert}", True),
        ("    key: [id]\n    silver", "    key: [id, day]\n    silver", True),
        ("    key: [id]\n    extract", "    key: [id, day]\n    extract", True),
        ("mode: scd2}", "mode: scd2, track: [name]}", False),
        ("trim(note)", "ltrim(note)", False),
        ('"trim(note)"', '"trim(note)", rename: remark', True),
        ('"trim(note)"', '"trim(note)", type: string', True),
    ],
)
def test_rows_of_another_kind_take_a_new_table(files: Any, old: str, new: str, reshapes: bool) -> None:
    """Rule 14: a column leaves a table only with the table; rule 35: a belief is never removed."""
    (change,) = _changes(files, (SHOP, old, new))
    assert (change.effect, change.reshapes) == (Effect.REBUILD, reshapes)


@pytest.mark.parametrize(
    ("old", "new", "table", "path", "effect"),
    [
        ("note: string, ", "note: string, more: int, ", "bronze", "extract.columns.more", "evolve"),
        ("id: int", "id: long", "bronze", "extract.columns.id", "evolve"),
        ("amount: float", "amount: int", "bronze", "extract.columns.amount", "refuse"),
        (", day: date", "", "bronze", "extract.columns.day", "refuse"),
        ("path: in", "path: out", "bronze", "extract.path", "nothing"),
        ('made: {expression: "upper(note)"}', 'made: {expression: "upper(note)"}\n      twice: {expression: "id * 2"}',
         "silver", "columns.twice.expression", "evolve"),
        ('      made: {expression: "upper(note)"}\n', "", "silver", "columns.made.expression", "rebuild"),
        ("type: double", "type: string", "silver", "columns.amount.type", "rebuild"),
    ],
)  # fmt: skip
def test_the_columns_of_a_landing_evolve_or_are_refused(
    files: Any, old: str, new: str, table: str, path: str, effect: str
) -> None:
    _landing(files)
    (change,) = _changes(files, (SHOP, old, new))
    assert (change.table.layer.value, change.path, change.effect.value) == (table, path, effect)


def test_a_widened_type_evolves(files: Any) -> None:
    _landing(files)
    files.replace(SHOP, "type: double", "type: float")
    (change,) = _changes(files, (SHOP, "type: float", "type: double"))
    assert (change.effect, change.destroys) == (Effect.EVOLVE, "")


def test_without_leave_to_evolve_a_new_column_is_refused(files: Any) -> None:
    _landing(files)
    files.replace(SHOP, "    drift: evolve\n", "")
    (change,) = _changes(files, (SHOP, "note: string, ", "note: string, more: int, "))
    assert change.effect is Effect.REFUSE


def test_a_table_of_another_kind_of_source_is_one_change(files: Any) -> None:
    _landing(files)
    before = _load(files)
    files.write({SHOP: LANDING.replace("silver: {mode: append}", "silver: {mode: upsert}")})
    extract = "extract: {kind: files, path: in, columns: {id: int, note: string, amount: float, day: date}}"
    files.replace(SHOP, extract, "extract: {kind: sql}")
    changes = spec_changes(before, _load(files))
    assert [(c.table.layer.value, c.path, c.effect.value) for c in changes] == [
        ("bronze", "extract.kind", "refuse"), ("silver", "silver.mode", "rebuild"),
    ]  # fmt: skip


def test_an_acknowledgement_names_what_was_and_ends_with_the_change(files: Any) -> None:
    first = _load(files)
    old, new = "    key: [id]\n    extract: {mode", "    key: [id, day]\n    extract: {mode"
    (change,) = _changes(files, (SHOP, old, new))
    assert change.acknowledgement == 'acknowledge: [{change: key, was: ["id"]}]'
    files.replace(SHOP, "    key: [id, day]\n", f"    key: [id, day]\n    {change.acknowledgement}\n")
    (meant,) = spec_changes(first, _load(files))
    assert (meant.acknowledged, meant.is_open) == (True, False)
    second = _load(files)
    assert spec_changes(second, _load(files)) == ()
    files.replace(SHOP, "    key: [id, day]\n", "    key: [day]\n")
    (again,) = spec_changes(second, _load(files))
    assert again.is_open, "it was said of another change"


def test_any_rebuild_may_be_acknowledged_into_a_new_table(files: Any) -> None:
    """What an expression does to the type of its column shows only when it runs, and then takes a new table."""
    before = _load(files)
    files.replace(SHOP, "trim(note)", "length(note)")
    (change,) = spec_changes(before, _load(files))
    assert (change.reshapes, change.is_open) == (False, False)
    files.replace(SHOP, "    key: [id]\n    extract", f"    key: [id]\n    {change.acknowledgement}\n    extract")
    (meant,) = spec_changes(before, _load(files))
    assert (meant.reshapes, meant.acknowledged, meant.is_open) == (True, True, False)


def test_a_history_that_takes_a_new_table_says_that_it_forgets(files: Any) -> None:
    (change,) = _changes(files, (SHOP, "    key: [id]\n    silver", "    key: [id, day]\n    silver"))
    assert change.destroys.endswith(", and what was known when")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{change: key, was: [id]}]", "about no change"),
        ("[{change: keys, was: [id]}]", "no change of this table has this name"),
        ("[{change: key}]", "'was' is missing"),
        ("[{change: key, was: [x], for: ever}]", "unknown key 'for'"),
    ],
)
def test_an_acknowledgement_that_can_be_about_no_change_is_refused(files: Any, text: str, message: str) -> None:
    files.replace(SHOP, "    key: [id]\n    silver", f"    key: [id]\n    acknowledge: {text}\n    silver")
    with pytest.raises(SpecError) as refused:
        _load(files)
    assert message in refused.value.message


def test_an_acknowledgement_makes_no_work_worthless(files: Any) -> None:
    before = _load(files)
    files.replace(
        SHOP, "    key: [id]\n    silver", "    key: [id]\n    acknowledge: [{change: key, was: [x]}]\n    silver"
    )
    files.replace(SHOP, "    grain: [day]", "    grain: [day]\n    acknowledge: [{change: grain, was: [x]}]")
    after = _load(files)
    assert silver_hash(before, before.table("customers")) == silver_hash(after, after.table("customers"))
    assert gold_hash(before, before.gold[0]) == gold_hash(after, after.gold[0])


def _landing(files: Any) -> None:
    for file in ("sql/gold/shop/revenue.sql", "sql/gold/report/totals.sql", "dags/products/report.yaml"):
        files.write({file: None})
    files.write({SHOP: LANDING})
