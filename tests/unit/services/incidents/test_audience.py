"""For whom a failure matters, who is told, and what stays visible."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from headwater.domain.names import TableName
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.spec import PipelineSpec
from headwater.services.incidents.audience import matters_to, owner_of, still_visible

Specs = dict[str, PipelineSpec]
RELEASE = Release(
    id="r-20261121T100000-00000001",
    run_key="i/flights/r",
    pipeline="flights",
    kind="audited",
    status="published",
    created_at=datetime(2026, 11, 21, 10, tzinfo=UTC),
    published_at=datetime(2026, 11, 21, 10, 1, tzinfo=UTC),
    tables=(
        ReleasedTable(
            table=TableName.parse("silver.flights.flights"), snapshot_id=1, metadata_location="m", rows=27004
        ),
    ),
)


@pytest.mark.parametrize("table", ["bronze.flights.flights", "silver.flights.flights", None])
def test_it_matters_to_gold_and_to_products_made_from_it(specs: Specs, table: str | None) -> None:
    found = matters_to(specs, "flights", table)
    assert found == ("gold.delay_report.delays (analytics)", "gold.flights.daily (aviation)")


def test_a_table_nobody_reads_matters_to_nobody(specs: Specs) -> None:
    assert matters_to(specs, "flights", "silver.flights.planes") == ()
    assert matters_to(specs, "no_such_pipeline", None) == ()


@pytest.mark.parametrize(
    ("table", "team"),
    [
        ("silver.flights.planes", "fleet"),
        ("bronze.flights.planes", "fleet"),
        ("silver.flights.flights", "aviation"),
        ("gold.flights.daily", "aviation"),
        ("gold.flights", "aviation"),
        (None, "aviation"),
    ],
)
def test_a_tables_own_owner_beats_the_pipelines(specs: Specs, table: str | None, team: str) -> None:
    assert owner_of(specs["flights"], table).team == team


def test_what_belongs_to_no_pipeline_goes_to_the_platform_team() -> None:
    assert owner_of(None, None).team == "platform"


def test_readers_stay_at_the_release_that_shows_the_table() -> None:
    text = still_visible([RELEASE], "flights", "silver.flights.flights")
    release = "release r-20261121T100000-00000001 of 2026-11-21 10:01 UTC"
    assert text == f"silver.flights.flights stays at {release}, 27,004 current rows."


@pytest.mark.parametrize(
    ("table", "words"),
    [("bronze.flights.flights", ", its last batch 3 rows."), ("gold.flights.daily", ", 3 rows.")],
)
def test_what_is_counted_is_named(table: str, words: str) -> None:
    """A release tells of bronze what its last batch added, which is not what the table has."""
    item = ReleasedTable(table=TableName.parse(table), snapshot_id=1, metadata_location="m", rows=3)
    assert still_visible([RELEASE.model_copy(update={"tables": (item,)})], "flights", table).endswith(words)


@pytest.mark.parametrize(
    ("pipeline", "table", "words"),
    [
        ("flights", None, "flights stays at release r-2026"),
        ("flights", "silver.flights.planes", "silver.flights.planes was never released"),
        ("weather", None, "Nothing of weather was ever released"),
    ],
)
def test_what_was_never_released_is_said_so(pipeline: str, table: str | None, words: str) -> None:
    assert still_visible([RELEASE], pipeline, table).startswith(words)


def test_a_pipeline_stays_at_its_newest_audited_release() -> None:
    """Not at a later one of bronze or quarantine alone, which its readers do not read."""
    later = RELEASE.model_copy(update={"id": "r-20261121T110000-00000002", "kind": "bronze"})
    assert f"stays at release {RELEASE.id} " in still_visible([RELEASE, later], "flights", None)
