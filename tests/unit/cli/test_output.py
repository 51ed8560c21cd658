"""JSON for programs: every value, in a form that every parser takes."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from headwater.cli.output import answering_once, print_json
from headwater.domain.errors import NotFoundError


def _strict(constant: str) -> float:
    raise AssertionError(f"{constant} is no JSON")


def test_json_is_strict_and_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(
        [
            {"nan": math.nan, "most": math.inf, "least": -math.inf, "exact": Decimal("0.10")},
            {"at": datetime(2013, 1, 1, tzinfo=UTC), "on": date(2013, 1, 1), "nested": {1: (math.nan, None, True)}},
        ]
    )
    assert json.loads(capsys.readouterr().out, parse_constant=_strict) == [
        {"nan": "NaN", "most": "Infinity", "least": "-Infinity", "exact": "0.10"},
        {"at": "2013-01-01T00:00:00+00:00", "on": "2013-01-01", "nested": {"1": ["NaN", None, True]}},
    ]


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
