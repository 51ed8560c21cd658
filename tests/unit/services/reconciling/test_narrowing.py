"""Whatever differs is found, nothing else is, and few rows are looked at."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.services.reconciling.sides_in_memory import Side, comparison, printed

from headwater.services.reconciling import narrowing
from headwater.services.reconciling.narrowing import MOST_BITS, ROWS_IN_BUCKET, bits_for, narrow

ROWS = 1_500
HARM = st.dictionaries(
    st.integers(0, ROWS + 50), st.sampled_from(["lost", "altered", "deleted", "unread"]), max_size=12
)


def harmed(harm: dict[int, str]) -> tuple[Side, Side]:
    source = Side({number: printed(number, number) for number in range(ROWS)})
    lake = Side(dict(source.held))
    for number, what in harm.items():
        if what == "lost":
            source.held[number] = printed(number, 1)
            lake.held.pop(number, None)
        elif what == "altered":
            source.held[number], lake.held[number] = printed(number, 1), printed(number, -2)
        elif what == "deleted":
            source.held.pop(number, None)
            lake.held[number] = printed(number, 3)
        else:
            source.held[number] = printed(number, 4, 200, unread=True)
            lake.held[number] = printed(number, 5)
    return source, lake


@settings(max_examples=40)
@given(HARM)
def test_exactly_the_keys_that_differ_are_found_whatever_was_done(harm: dict[int, str]) -> None:
    source, lake = harmed(harm)
    found = narrow(source, lake, comparison(bits_for(ROWS)))
    expected = {(str(number),) for number, what in harm.items() if what != "unread"}
    assert found.keys == expected
    assert found.unread_rows == sum(what == "unread" for what in harm.values())


@settings(max_examples=40)
@given(HARM)
def test_only_rows_of_differing_buckets_are_looked_at(harm: dict[int, str]) -> None:
    source, lake = harmed(harm)
    found = narrow(source, lake, comparison(bits_for(ROWS)))
    assert found.rows_read == source.read + lake.read
    assert found.differing <= len(harm)
    # a bucket of 64 rows on average: none is four times as large among so few
    assert found.rows_read <= 2 * 4 * ROWS_IN_BUCKET * found.differing


def test_buckets_that_are_too_many_are_counted_and_never_taken_for_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrowing, "MOST_ROWS_READ", 500)
    source, lake = harmed(dict.fromkeys(range(500), "lost"))
    found = narrow(source, lake, comparison(bits_for(ROWS)))
    assert (found.differing, found.left > 0) == (32, True)
    assert 0 < len(found.keys) < 500
    assert found.rows_read <= 1_000


def test_one_bucket_is_looked_into_however_large_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrowing, "MOST_ROWS_READ", 10)
    source, lake = harmed({5: "lost"})
    found = narrow(source, lake, comparison(0))
    assert found.keys == {("5",)}
    assert found.left == 0


def test_a_bucket_that_one_side_has_not_at_all_differs() -> None:
    one = Side({1: printed(1, 1)})
    assert narrow(Side({}), one, comparison(4)).keys == {("1",)}
    assert narrow(one, Side({}), comparison(4)).keys == {("1",)}


def test_a_key_that_comes_twice_is_no_equal_one() -> None:
    source, lake = harmed({})
    source.held[-1] = printed(7, 7)
    assert narrow(source, lake, comparison(4)).keys == {("7",)}


@pytest.mark.parametrize(("rows", "bits"), [(0, 0), (63, 0), (64, 1), (5_000_000, 17), (10**12, MOST_BITS)])
def test_a_table_is_cut_as_fine_as_its_rows_ask(rows: int, bits: int) -> None:
    assert bits_for(rows) == bits
