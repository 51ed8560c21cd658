"""Instants as texts of one width: comparing texts compares instants, and a bound is never rounded up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.adapters.sources.queried.columns import Moments, instant

STEPS = [Moments("day"), Moments("minute"), Moments("second"), Moments("third of 10 ms"), Moments("fraction", 3),
         Moments("fraction", 6), Moments("fraction", 7), Moments("fraction", 9)]  # fmt: skip
instants = st.datetimes(datetime(1800, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize("moments", STEPS, ids=lambda moments: f"{moments.step} {moments.digits}")
@given(earlier=instants, later=instants)
def test_texts_are_ordered_as_instants_are(moments: Moments, earlier: datetime, later: datetime) -> None:
    earlier, later = sorted((earlier, later))
    assert moments.floor(earlier) <= moments.floor(later)
    assert len(moments.floor(earlier)) == len(moments.floor(later))


@pytest.mark.parametrize("moments", STEPS, ids=lambda moments: f"{moments.step} {moments.digits}")
@given(moment=instants)
def test_the_value_before_an_instant_is_before_it(moments: Moments, moment: datetime) -> None:
    """Rule 6: a window's high bound never takes a row that belongs to the next one."""
    assert moments.before(moment) <= moments.floor(moment)
    exact = Moments("fraction", 6).floor(moment)
    shown = moments.before(moment)
    # a shown third of 10 ms is rounded: .007 means .006666
    slack = timedelta(milliseconds=1) if moments.step == "third of 10 ms" else timedelta(0)
    assert instant(shown) - slack < instant(exact)


def test_thirds_are_those_the_server_shows() -> None:
    """A text between two values of a datetime would be rounded to the nearer, which may be the later."""
    shown = {Moments("third of 10 ms").floor(datetime(2026, 1, 1) + timedelta(milliseconds=n))[-1] for n in range(1000)}
    assert shown == {"0", "3", "7"}
    assert Moments("third of 10 ms").before(datetime(2026, 1, 1)) == "2025-12-31 23:59:59.997"


def test_digits_below_a_microsecond_are_filled_towards_the_bound() -> None:
    """Nothing of 2025 is lost between 23:59:59.999999 and midnight."""
    assert Moments("fraction", 7).before(datetime(2026, 1, 1)) == "2025-12-31 23:59:59.9999999"
    assert Moments("fraction", 9).floor(datetime(2026, 1, 1)) == "2026-01-01 00:00:00.000000000"


def test_an_instant_is_taken_in_utc() -> None:
    assert Moments("second").floor(datetime.fromisoformat("2026-01-01T01:00:00+02:00")) == "2025-12-31 23:00:00"


def test_a_text_of_any_width_is_an_instant() -> None:
    assert instant("2026-01-01") == datetime(2026, 1, 1)
    assert instant("2026-01-01 00:00:00.1234567") == datetime(2026, 1, 1, 0, 0, 0, 123456)
