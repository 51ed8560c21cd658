"""JSON for programs: every value, in a form that every parser takes."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from headwater.cli.output import answering_once, print_json, print_table
from headwater.domain.errors import NotFoundError


def _strict(constant: str) -> float:
    raise AssertionError(f"{constant} is no JSON")


def test_json_is_strict_and_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(
        [
            {"nan": math.nan, "most": math.inf, "least": -math.inf, "exact": Decimal("0.10")},
            {"at": datetime(2013, 1, 1, tzinfo=UTC), "on": date(2013, 1, 1), "nested": {1: (math.nan, None, True)}},
            {"raw": b"ab\xff", "inside": [b"\0"]},
            {date(2013, 1, 1): 1, b"\xff": 2, Decimal("0.10"): 3, None: 4, math.inf: 5},
        ]
    )
    assert json.loads(capsys.readouterr().out, parse_constant=_strict) == [
        {"nan": "NaN", "most": "Infinity", "least": "-Infinity", "exact": "0.10"},
        {"at": "2013-01-01T00:00:00+00:00", "on": "2013-01-01", "nested": {"1": ["NaN", None, True]}},
        {"raw": "6162ff", "inside": ["00"]},
        {"2013-01-01": 1, "ff": 2, "0.10": 3, "null": 4, "Infinity": 5},
    ]


def test_data_has_no_commas_and_an_id_stays_on_its_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A year is no count, and a person copies an id."""
    monkeypatch.setenv("COLUMNS", "40")
    release = "r-20261122T140433-ba8163db"
    print_table("", ["moved", "release"], [("silver.flights.planes and others", release)], whole=["release"])
    print_table("", ["year"], [(1998,)], is_data=True)
    print_table("", ["rows"], [(27004,)])
    said = capsys.readouterr().out
    assert release in said
    assert "1998" in said
    assert "27,004" in said


def _told_and_failed() -> None:
    with answering_once():
        print_json({"state": "failed"})
        raise NotFoundError("no release")


def test_a_failure_after_the_answer_adds_no_second_document(capsys: pytest.CaptureFixture[str]) -> None:
    """A run that was waited for is told, and then that it failed."""
    for _ in range(2):
        with pytest.raises(NotFoundError):
            _told_and_failed()
        assert json.loads(capsys.readouterr().out) == {"state": "failed"}
