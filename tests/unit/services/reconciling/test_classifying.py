"""Each key is a case of exactly one class, by what the three tables say of it."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.reconciliation import Difference, DifferenceKind
from headwater.ports.reconciling import Bounds, PrintedRow
from headwater.services.reconciling.classifying import Evidence, Facts, classify, cursor_text

HIGH, ZONE = 100, 80
INCREMENTAL = Facts(("id",), Bounds(HIGH, ZONE), batch=5, whole=False, keeps_deleted=True)
WHOLE = Facts(("id",), Bounds(None, None), batch=5, whole=True, keeps_deleted=False)


def row(content: str, cursor: int | None = 50, batch: int | None = 3, *, unread: bool = False) -> PrintedRow:
    return PrintedRow(("1",), content, cursor, unread, batch)


A, B, C = row("a"), row("b"), row("c")
LATE = row("a", 90)


def judged(
    source: PrintedRow | None,
    lake: PrintedRow | None,
    bronze: PrintedRow | None,
    facts: Facts = INCREMENTAL,
    **more: Any,
) -> Difference | None:
    rows = () if source is None else (source,)
    return classify(Evidence(("1",), rows, lake, bronze, **more), facts)


CASES = {
    "never read, within the lag": (LATE, None, None, INCREMENTAL, "lag", "next_run"),
    "never read, below the lag": (A, None, None, INCREMENTAL, "loss", "read_again"),
    "in bronze only": (A, None, A, INCREMENTAL, "loss", "rebuild"),
    "silver altered": (A, B, A, INCREMENTAL, "corruption", "rebuild"),
    "silver altered, and the source as well": (A, B, C, INCREMENTAL, "corruption", "rebuild"),
    "values moved, the cursor did not": (A, B, B, INCREMENTAL, "snapshot_trap", "read_again"),
    "cursor went back": (row("a", 40), B, B, INCREMENTAL, "snapshot_trap", "read_again"),
    "trap within the lag": (LATE, row("b", 90), row("b", 90), INCREMENTAL, "snapshot_trap", "next_run"),
    "newer version within the lag": (LATE, B, B, INCREMENTAL, "lag", "next_run"),
    "newer version below the lag": (row("a", 70), B, B, INCREMENTAL, "lag", "read_again"),
    "gone at the source": (None, A, A, INCREMENTAL, "deleted", "person"),
    "waits in bronze": (A, B, row("a", 50, 6), INCREMENTAL, "held", "person"),
    "new, waits in bronze": (A, None, row("a", 50, 6), INCREMENTAL, "held", "person"),
    "whole: changed since": (A, B, B, WHOLE, "lag", "next_run"),
    "whole: new since": (A, None, None, WHOLE, "lag", "next_run"),
    "whole: deleted since": (None, A, A, WHOLE, "lag", "next_run"),
    "whole: silver kept what bronze lost": (None, A, None, WHOLE, "corruption", "rebuild"),
    "whole: silver lost it": (A, None, A, WHOLE, "loss", "rebuild"),
}


@pytest.mark.parametrize(("source", "lake", "bronze", "facts", "kind", "mended_by"), CASES.values(), ids=CASES)
def test_a_case_has_its_class_and_what_mends_it(
    source: PrintedRow | None,
    lake: PrintedRow | None,
    bronze: PrintedRow | None,
    facts: Facts,
    kind: str,
    mended_by: str,
) -> None:
    found = judged(source, lake, bronze, facts)
    assert found is not None
    assert (found.kind.value, found.mended_by, found.key) == (kind, mended_by, {"id": "1"})


@pytest.mark.parametrize(
    ("source", "lake"),
    [(A, A), (None, None), (row("b", 120, unread=True), A), (row("b", None, unread=True), None)],
    ids=["equal", "gone on both sides", "changed since", "new since"],
)
def test_what_agrees_or_moved_on_is_no_difference(source: PrintedRow | None, lake: PrintedRow | None) -> None:
    assert judged(source, lake, lake) is None


@pytest.mark.parametrize(("source", "lake"), [(A, None), (A, B), (None, A)])
def test_a_key_in_quarantine_is_known_and_nobody_has_to_act(source: PrintedRow | None, lake: PrintedRow | None) -> None:
    found = judged(source, lake, A, quarantined=True)
    assert found is not None
    assert (found.kind, found.is_wrong) == (DifferenceKind.QUARANTINED, False)


def test_a_key_that_identifies_no_row_is_told() -> None:
    found = classify(Evidence(("1",), (A, B), A, A), INCREMENTAL)
    assert found is not None
    assert (found.kind, found.is_wrong) == (DifferenceKind.AMBIGUOUS, True)


@pytest.mark.parametrize(
    ("kind", "mended_by", "wrong"),
    [
        ("loss", "rebuild", True),
        ("snapshot_trap", "next_run", True),
        ("lag", "next_run", False),
        ("lag", "read_again", True),
        ("deleted", "person", False),
        ("held", "person", False),
    ],
)
def test_somebody_has_to_act_where_no_run_mends_it(kind: str, mended_by: str, wrong: bool) -> None:
    found = Difference.model_validate({"key": {"id": "1"}, "kind": kind, "mended_by": mended_by, "why": "w"})
    assert found.is_wrong is wrong


def test_a_cursor_is_told_as_people_read_it() -> None:
    assert cursor_text(1_735_689_600_500_000, by_time=True) == "2025-01-01T00:00:00.500000+00:00"
    assert cursor_text(12, by_time=False) == "12"
    assert cursor_text(None, by_time=True) is None
