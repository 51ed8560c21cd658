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
