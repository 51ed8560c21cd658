"""What the log of plan_run says a run will do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from headwater.domain.files_extract import FilesExtract
from headwater.domain.run import RunKey, RunKind, RunPlan, RunRequest, TablePlan, Window
from headwater.domain.spec import GoldSpec, Owner, ProductSpec, Schedule, Silver, SourceSpec, SqlExtract, TableSpec
from headwater.services.context import RunContext
from headwater_airflow.dag_factory.form import run_form
from headwater_airflow.operators.plan_table import plan_lines

FOLLOWED = "SELECT f.g, count(*) AS n FROM silver.a.b AS f GROUP BY f.g"
WINDOWED = "SELECT f.g, rank() OVER (ORDER BY f.g) AS n FROM silver.a.b AS f"
PRODUCT = ProductSpec(
    name="delays",
    file="dags/products/delays.yaml",
    description="d",
    owner=Owner(team="data", email=("data@example.com",)),
    schedule=Schedule(manual=True),
    gold=(
        GoldSpec(name="plain", grain=("g",), sql=FOLLOWED),
        GoldSpec(name="merged", mode="merge", grain=("g",), sql=FOLLOWED),
        GoldSpec(name="ranked", mode="merge", grain=("g",), sql=WINDOWED),
    ),
)
KEY = RunKey(installation="i", dag_id="delays", run_id="r")


def test_each_gold_table_says_how_it_is_built_and_why_not_otherwise() -> None:
    """Rule 38."""
    plan = RunPlan(run_key=KEY, kind=RunKind.SCHEDULED, planned_at=datetime(2026, 1, 1, tzinfo=UTC), spec_hash="h")
    said = {line.strip() for line in plan_lines(RunContext(spec=PRODUCT, run_key=KEY), plan)}
    assert "builds gold.delays.plain: made anew" in said
    assert "builds gold.delays.merged: merge" in said
    assert any(line.startswith("builds gold.delays.ranked: merge, always made anew: it has a window") for line in said)


def test_the_form_offers_the_tables_that_can_be_rebuilt() -> None:
    form = run_form(PRODUCT)
    assert form["rebuild"].schema["items"]["enum"] == ["gold.delays.plain", "gold.delays.merged", "gold.delays.ranked"]
    assert set(RunRequest.model_fields) >= set(form)


def test_a_window_is_told_by_its_column_or_by_the_files_it_takes() -> None:
    """And not by what else was planned of a file: size, time, hash."""
    owner, schedule = Owner(team="data", email=("data@example.com",)), Schedule(manual=True)
    extract = SqlExtract(mode="incremental", cursor="updated_at", lag=timedelta(0))
    tables = (
        TableSpec(name="orders", key=("id",), extract=extract, silver=Silver(mode="upsert", sequence_by="updated_at")),
        TableSpec(
            name="days", extract=FilesExtract(path="*.csv", columns={"day": "date"}), silver=Silver(mode="append")
        ),
    )
    spec = SourceSpec(
        name="shop", file="f.yaml", description="d", owner=owner, schedule=schedule, connection="c", tables=tables
    )
    windows = {
        "orders": Window(kind="incremental", low="1", high="2", advances_watermark=True),
        "days": Window(kind="files", items=('{"path":"a.csv","size":1}',), advances_watermark=True),
    }
    plans = tuple(
        TablePlan(table=name, window=window, batch=1, base_snapshot=None, spec_hash="h")
        for name, window in windows.items()
    )
    plan = RunPlan(
        run_key=KEY, kind=RunKind.SCHEDULED, planned_at=datetime(2026, 1, 1, tzinfo=UTC), spec_hash="h", tables=plans
    )
    _, orders, days, *_ = plan_lines(RunContext(spec=spec, run_key=KEY), plan)
    assert orders.endswith("updated_at in (1, 2]")
    assert days.endswith("1 file: a.csv")
