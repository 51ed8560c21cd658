"""The form's answers are read back without trusting Airflow's own check (rule 4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.errors import RequestError
from headwater.domain.run import RunKind
from headwater.domain.spec import Owner, ProductSpec, Schedule, Silver, SourceSpec, SqlExtract, TableSpec
from headwater_airflow.operators.request import run_request

OWNER = Owner(team="data", email=("data@example.com",))
SOURCE = SourceSpec(
    name="flights",
    file="dags/sources/flights.yaml",
    description="d",
    owner=OWNER,
    schedule=Schedule(manual=True),
    connection="db",
    tables=tuple(
        TableSpec(name=name, key=("id",), extract=SqlExtract(), silver=Silver(mode="scd2")) for name in ("a", "b")
    ),
)
PRODUCT = ProductSpec(
    name="delays",
    file="dags/products/delays.yaml",
    description="d",
    owner=OWNER,
    schedule=Schedule(manual=True),
    gold=(),
)
EMPTY: dict[str, object] = {
    "tables": [],
    "window_from": None,
    "window_to": None,
    "full_refresh": False,
    "dry_run": False,
    "reason": "",
}


def test_an_untouched_form_is_a_scheduled_run_of_all_tables() -> None:
    request = run_request(SOURCE, EMPTY)
    assert request.kind is RunKind.SCHEDULED
    assert request.tables == ()
    assert not request.dry_run


def test_tables_come_in_the_order_of_the_yaml_and_once() -> None:
    assert run_request(SOURCE, EMPTY | {"tables": ["b", "a", "b"]}).tables == ("a", "b")


def test_an_instant_without_a_zone_is_utc_and_others_are_converted() -> None:
    request = run_request(SOURCE, EMPTY | {"window_from": "2013-01-01T00:00", "window_to": "2013-02-01T00:00:00+01:00"})
    assert request.window_from == datetime(2013, 1, 1, tzinfo=UTC)
    assert request.window_to == datetime(2013, 1, 31, 23, tzinfo=UTC)
    assert request.kind is RunKind.BACKFILL


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tables", ["c"]),
        ("tables", ["a\n"]),
        ("tables", ["a; drop table flights"]),
        ("tables", [["a"]]),
        ("tables", "../evil"),
        ("window_from", "2013-01-01T00:00:00Z\n"),
        ("window_from", "yesterday"),
        ("window_from", "2013-02-30T00:00:00Z"),
        ("window_from", "0001-01-01T00:00:00+14:00"),
        ("window_from", 20130101),
        ("window_from", "٢٠١٣-01-01"),
        ("full_refresh", "true"),
        ("full_refresh", 1.0),
        ("dry_run", None),
        ("reason", 7),
        ("reason", "x" * 501),
        ("rebuild", [["silver.flights.a"]]),
        ("rebuild_from", "yesterday"),
        ("rebuild_from", "17\n"),
        ("connection", "other_db"),
        ("{{ conn.flights_db.password }}", "x"),
    ],
)
def test_what_the_form_would_not_give_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(RequestError) as refused:
        run_request(SOURCE, EMPTY | {name: value})
    assert name in refused.value.message
    assert refused.value.allowed
    assert not refused.value.retry_helps


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(RequestError, match="ends before it begins"):
        run_request(SOURCE, EMPTY | {"window_from": "2013-02-01T00:00:00Z", "window_to": "2013-02-01T00:00:00Z"})


def test_a_full_refresh_takes_no_window() -> None:
    with pytest.raises(RequestError, match="takes no window"):
        run_request(SOURCE, EMPTY | {"window_from": "2013-02-01T00:00:00Z", "full_refresh": True})


@pytest.mark.parametrize("form", [["silver.flights.a", "silver.flights.a"], "silver.flights.a"])
def test_a_rebuild_is_asked_for_by_table_and_bound(form: object) -> None:
    request = run_request(SOURCE, EMPTY | {"rebuild": form, "rebuild_from": "17"})
    assert (request.kind, request.rebuild, request.rebuild_from) == (RunKind.REBUILD, ("silver.flights.a",), 17)
    assert run_request(SOURCE, EMPTY | {"rebuild": [], "rebuild_from": None}).kind is RunKind.SCHEDULED
    again = run_request(PRODUCT, {"rebuild": ["gold.delays.g"], "rebuild_from": "2026-03-31"})
    assert type(again).model_validate_json(again.model_dump_json()) == again


def test_a_product_takes_no_tables_and_no_window() -> None:
    assert run_request(PRODUCT, {"full_refresh": True, "dry_run": False, "reason": "why"}).reason == "why"
    with pytest.raises(RequestError, match="window_from"):
        run_request(PRODUCT, {"window_from": "2013-02-01T00:00:00Z"})


@given(st.datetimes(timezones=st.sampled_from([UTC])), st.integers(min_value=-720, max_value=720))
def test_every_instant_survives_being_written_in_any_zone(instant: datetime, minutes: int) -> None:
    from datetime import timezone

    try:
        text = instant.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
    except OverflowError:
        return
    assert run_request(SOURCE, EMPTY | {"window_from": text}).window_from == instant
