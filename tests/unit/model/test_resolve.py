"""A spec is built-in values, overridden by profile, file and table, in this order (rule 4)."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from headwater.domain.errors import SpecError
from headwater.domain.spec import FilesExtract, SourceSpec, SqlExtract
from headwater.model.documents import Profile
from headwater.model.repository import load_pipeline

SHOP = "dags/sources/shop.yaml"


def _load(files: Any, profile: Profile | None = None, *, deep: bool = True) -> SourceSpec:
    spec = load_pipeline(files.root, files.root / SHOP, profile=profile, deep=deep)
    assert isinstance(spec, SourceSpec)
    return spec


def _extract(files: Any, table: str, profile: Profile | None = None) -> SqlExtract:
    extract = _load(files, profile).table(table).extract
    assert isinstance(extract, SqlExtract)
    return extract


def test_a_table_overrides_the_file_and_the_file_the_profile_rule_4(files: Any) -> None:
    profile = Profile(extract={"bad_cursor": "stop", "non_finite": "stop"}, lease_wait=timedelta(minutes=5))
    files.replace(SHOP, "{kind: sql, mode: snapshot}", "{kind: sql, mode: snapshot, non_finite: 'null'}")
    orders = _extract(files, "orders", profile)
    assert (orders.mode, orders.bad_cursor, orders.non_finite) == ("incremental", "stop", "null")
    assert _extract(files, "orders").bad_cursor == "quarantine"
    assert _load(files, profile).lease_wait == timedelta(minutes=5)
    assert _load(files).lease_wait == timedelta(minutes=30)


def test_an_inherited_cursor_does_not_reach_a_snapshot_table(files: Any) -> None:
    files.replace(SHOP, "extract: {kind: sql, mode: snapshot}", "extract: {mode: incremental, cursor: updated_at}")
    files.replace(SHOP, "    silver: {mode: scd2}", "    extract: {mode: snapshot}\n    silver: {mode: scd2}")
    assert _extract(files, "customers").cursor is None


def test_chunks_are_for_incremental_windows(files: Any) -> None:
    """Rule 28: a snapshot is one moment."""
    default = "extract: {mode: incremental, cursor: updated_at, chunk_rows: 1000000}"
    files.replace(SHOP, "extract: {kind: sql, mode: snapshot}", default)
    files.replace(SHOP, "    silver: {mode: scd2}", "    extract: {mode: snapshot}\n    silver: {mode: scd2}")
    assert (_extract(files, "orders").chunk_rows, _extract(files, "customers").chunk_rows) == (1_000_000, None)
    files.replace(SHOP, "    extract: {mode: snapshot}\n", "    extract: {mode: snapshot, chunk_rows: 5}\n")
    with pytest.raises(SpecError, match="chunk_rows belongs to mode incremental"):
        _load(files)


def test_defaults_of_another_kind_do_not_apply(files: Any) -> None:
    files.replace(
        SHOP,
        "    silver: {mode: scd2}",
        "    extract: {kind: files, path: '*.csv', columns: {id: long}}\n    silver: {mode: append}",
    )
    assert isinstance(_load(files).table("customers").extract, FilesExtract)


def test_manual_is_a_schedule(files: Any) -> None:
    files.replace(SHOP, "{every: 1d}", "manual")
    assert _load(files).schedule.manual


@pytest.mark.parametrize(
    "cron", ["0 0 * * *", "*/15 8-18 * * mon-fri", "5,35 0 1 jan,jul 0", "0 0 30 2 1", "0 0 29,30 2 *", "0 0 31 */3 *"]
)
def test_cron_expressions_people_write_are_taken(files: Any, cron: str) -> None:
    files.replace(SHOP, "{every: 1d}", f"{{cron: '{cron}', timezone: Europe/Berlin}}")
    assert _load(files).schedule.cron == cron


@pytest.mark.parametrize(
    "cron",
    ["60 0 * * *", "* * * *", "*/0 * * * *", "a b c d e", "5-1 * * * *", "@daily", "0 0 0 1 *", "0 0 31 4,jun *"],
)
def test_other_cron_expressions_are_refused(files: Any, cron: str) -> None:
    files.replace(SHOP, "{every: 1d}", f"{{cron: '{cron}'}}")
    with pytest.raises(SpecError, match="cron"):
        _load(files)


def test_a_light_load_leaves_contracts_and_inputs_out_yet_misses_no_file(files: Any) -> None:
    spec = _load(files, deep=False)
    assert spec.contracts == {}
    assert spec.gold[0].inputs == ()
    files.write({"include/contracts/silver/shop/orders.yml": None})
    with pytest.raises(SpecError, match="contract file"):
        _load(files, deep=False)


def test_a_product_of_the_same_name_is_refused_when_one_file_is_loaded(files: Any) -> None:
    files.write({"dags/products/shop.yml": "a: b"})
    with pytest.raises(SpecError, match="two files name"):
        _load(files, deep=False)


def test_a_light_load_imports_nothing_heavy(files: Any) -> None:
    heavy = ["sqlglot", "pyspark", "pyiceberg", "soda_core", "pandas", "duckdb", "pyarrow", "datahub", "kubernetes"]
    code = (
        "import json, sys\nfrom pathlib import Path\nfrom headwater.model.repository import load_pipeline\n"
        f"load_pipeline(Path({str(files.root)!r}), Path({str(files.root / SHOP)!r}), deep=False)\n"
        f"print(json.dumps([name for name in {heavy!r} + ['jsonschema', 'sqlalchemy'] if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == []


def test_every_finding_is_counted_when_the_first_is_raised(files: Any) -> None:
    files.replace(SHOP, "{mode: scd2}", "{mode: append}")
    files.replace(SHOP, "cursor: updated_at, ", "")
    with pytest.raises(SpecError) as caught:
        _load(files)
    assert caught.value.facts["more"] == "1"


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ("    grain: [day]", "    grain: [day, day]", "gold.revenue.grain", "in the grain twice"),
        ("{mode: upsert, sequence_by: updated_at}", "{mode: append, sequence_by: updated_at}",
         "tables.orders.silver.sequence_by", "no versions to order"),
        ("{mode: scd2}", "{mode: scd2, track: [name, id]}", "tables.customers.silver.track[1]", "never opens a"),
        ("{mode: scd2}", "{mode: scd2, track: [name, name]}", "tables.customers.silver.track[1]", "tracked twice"),
        ("sequence_by: updated_at", "sequence_by: ''", "tables.orders.silver.sequence_by", "names no column"),
        ("{mode: scd2}", "{mode: scd2, track: ['']}", "tables.customers.silver.track[0]", "names no column"),
        ("sequence_by: updated_at", "sequence_by: updated_at, allow_empty: true", "tables.orders.silver.allow_empty",
         "judges full extracts"),
        ("deleted_column: gone", "deleted_column: id", "tables.orders.extract.deleted_column", "every row has a value"),
        ("deleted_column: gone", "deleted_column: updated_at", "tables.orders.extract.deleted_column",
         "every row has a value"),
        ("{mode: upsert, sequence_by: updated_at}", "{mode: append}", "tables.orders.extract.deleted_column",
         "append keeps every event"),
        ("{every: 1d}", "{every: 1d, timezone: Europe/Berlin}", "schedule.timezone", "belongs to cron"),
        ("connection: shop_db", "connection: shop_db\nfreshness: {gold: 0s}", "freshness.gold", "greater than"),
        ("lag: 2h,", "lag: 2h, relation: 'sales.',", "tables.orders.extract.relation", "names no relation"),
        ("lag: 2h,", "lag: 2h, relation: '',", "tables.orders.extract.relation", "names no relation"),
    ],
)  # fmt: skip
def test_words_without_effect_are_refused(files: Any, old: str, new: str, key: str, message: str) -> None:
    files.replace(SHOP, old, new)
    with pytest.raises(SpecError) as caught:
        _load(files)
    assert (caught.value.where is not None and caught.value.where.key) == key
    assert message in caught.value.message
    assert caught.value.allowed


def test_rows_that_never_change_may_be_ordered_by_their_key(files: Any) -> None:
    """A serial number is key and cursor at once, and upsert wants an order."""
    files.replace(SHOP, "sequence_by: updated_at", "sequence_by: id")
    assert _load(files).table("orders").silver.sequence_by == "id"


def test_a_relation_may_have_dots_after_its_schema(files: Any) -> None:
    """PostgreSQL names tables so; the first dot ends the schema."""
    files.replace(SHOP, "lag: 2h,", "lag: 2h, relation: public.a.b.c,")
    assert _load(files).table("orders").extract.kind == "sql"
