"""What somebody has to mend becomes an incident whose steps can be followed; equal sides close it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headwater.adapters.runbook_folder import load_runbooks
from headwater.domain.names import TableName
from headwater.domain.reconciliation import Difference, Reconciliation
from headwater.domain.spec import Owner, Schedule, Silver, SourceSpec, SqlExtract, TableSpec
from headwater.services.incidents.remedy import remedy
from headwater.services.reconciling.telling import error_of, outside_a_run, tell

RUNBOOK = load_runbooks(Path(__file__).parents[4] / "include" / "runbooks")["source_differs"]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ORDERS = TableSpec(
    name="orders",
    key=("id",),
    extract=SqlExtract(mode="incremental", cursor="updated_at"),
    silver=Silver(mode="upsert", sequence_by="updated_at"),
)
SHOP = SourceSpec(
    name="shop",
    file="dags/sources/shop.yaml",
    description="a shop",
    owner=Owner(team="sales"),
    schedule=Schedule(manual=True),
    connection="shop_db",
    tables=(ORDERS,),
)
STANDARD = {"pipeline": "shop", "spec_file": SHOP.file, "team": "sales", "task": "reconcile", "run_id": "r"}


def difference(kind: str, mended_by: str, number: int = 1, cursor: str | None = None) -> Difference:
    content = {"key": {"id": str(number)}, "kind": kind, "mended_by": mended_by, "cursor": cursor, "why": "because"}
    return Difference.model_validate(content)


def found(*differences: Difference, **more: Any) -> Reconciliation:
    silver = TableName.parse("silver.shop.orders")
    values = {"table": silver, "compared": silver, "relation": "public.orders", "release": "r-1", "snapshot_id": 1}
    return Reconciliation.model_validate(values | {"looked_at": NOON, "differences": differences} | more)


def commands(result: Reconciliation) -> list[str]:
    error = error_of(SHOP, result)
    assert error is not None
    return [step.command for step in remedy(RUNBOOK, STANDARD | error.facts).steps if step.command]


EARLY, LATE = "2025-01-01T00:00:07.500000+00:00", "2025-03-02T10:00:00+00:00"
COMPARE = "uv run headwater reconcile shop --table orders"


def test_rows_never_read_are_read_again_by_the_window_that_holds_them() -> None:
    result = found(difference("loss", "read_again", 1, EARLY), difference("lag", "read_again", 2, LATE))
    window = "--from 2025-01-01T00:00:07Z --to 2025-03-02T10:00:01Z"
    run = f"uv run headwater run shop --table orders {window} --wait --reason 'rows that reconcile found'"
    assert [line.replace('"', "'") for line in commands(result)] == [COMPARE, run, COMPARE]


def test_a_day_is_read_whole() -> None:
    result = found(difference("loss", "read_again", 1, "2025-01-01T00:00:00+00:00"))
    assert any("--from 2025-01-01T00:00:00Z --to 2025-01-02T00:00:00Z" in line for line in commands(result))


def test_without_a_time_the_table_is_read_as_a_whole() -> None:
    result = found(difference("loss", "read_again", 1, "17"))
    assert any("run shop --table orders --full-refresh --wait" in line for line in commands(result))


def test_what_bronze_has_is_derived_again() -> None:
    result = found(difference("corruption", "rebuild"))
    assert any(line.startswith("uv run headwater rebuild silver.shop.orders --wait") for line in commands(result))
    assert not any("headwater run" in line for line in commands(result))


def test_the_trap_is_told_with_the_line_of_yaml_that_ends_it() -> None:
    error = error_of(SHOP, found(difference("snapshot_trap", "read_again", 1, EARLY)))
    assert error is not None
    text = remedy(RUNBOOK, STANDARD | error.facts).model_dump_json()
    assert "`tables.orders.extract: {mode: snapshot}`" in text
    assert "changed while updated_at did not" in text


@pytest.mark.parametrize(
    "differences",
    [(), (difference("lag", "next_run"),), (difference("deleted", "person"), difference("quarantined", "person"))],
)
def test_what_mends_itself_or_is_known_is_no_failure(differences: tuple[Difference, ...]) -> None:
    assert error_of(SHOP, found(*differences)) is None


def test_buckets_that_nobody_looked_into_are_a_failure() -> None:
    error = error_of(SHOP, found(buckets=64, buckets_left=3))
    assert error is not None
    assert "3 of 64 buckets" in error.message


def test_a_table_read_whole_may_have_changed_a_lot_since() -> None:
    assert error_of(SHOP, found(buckets=64, buckets_left=3, whole=True)) is None


class Desk:
    """Records what is reported; the incidents it lists are the test's."""

    def __init__(self, *listed: Any) -> None:
        self.listed = listed
        self.reported: list[Any] = []
        self.closed: list[tuple[int, str]] = []

    def list(self, **_: Any) -> Any:
        return self.listed

    def close(self, number: int, why: str, at: datetime) -> None:
        self.closed.append((number, why))

    def report(self, failure: Any) -> Any:
        self.reported.append(failure)
        return failure


class Open:
    def __init__(self, number: int, cause: str, table: str) -> None:
        self.id, self.cause, self.table = number, cause, table


def told(desk: Any, result: Reconciliation) -> Any:
    return tell(desk, desk.report, SHOP, result, outside_a_run(SHOP, result))


def test_the_failure_is_the_tables_and_names_class_and_keys() -> None:
    desk = Desk()
    told(desk, found(difference("loss", "rebuild", 7), difference("deleted", "person", 8)))
    [failure] = desk.reported
    assert (failure.table, failure.cause, failure.pipeline) == ("silver.shop.orders", "source_differs", "shop")
    assert failure.message == "silver.shop.orders is not what public.orders says: 1 loss"
    assert failure.facts["keys"] == "loss id=7"


def test_equal_sides_close_the_incident_of_this_table_and_no_other() -> None:
    desk = Desk(
        Open(1, "source_differs", "silver.shop.orders"),
        Open(2, "source_differs", "silver.shop.lines"),
        Open(3, "source_data", "silver.shop.orders"),
    )
    assert told(desk, found()) is None
    assert desk.closed == [(1, "source and lake are equal again")]
