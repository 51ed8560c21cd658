"""Rows that differ are shown beside the row they were meant to be."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.domain.differences import RowDifference, pair_rows

ROWS = st.lists(st.fixed_dictionaries({"a": st.sampled_from("xy"), "b": st.sampled_from(["1", None])}), max_size=6)


def _counted(rows: object) -> Counter[str]:
    return Counter(str(row) for row in rows)  # type: ignore[attr-defined]


@settings(deadline=None)
@given(ROWS, ROWS)
def test_no_row_is_hidden_and_none_is_shown_twice(expected: list[dict[str, str]], made: list[dict[str, str]]) -> None:
    pairs = pair_rows(expected, made)
    lacking, surplus = _counted(expected) - _counted(made), _counted(made) - _counted(expected)
    assert _counted(row for row, _ in pairs if row is not None) == lacking
    assert _counted(row for _, row in pairs if row is not None) == surplus
    assert (pairs == []) == (_counted(expected) == _counted(made))


def test_the_row_that_differs_least_is_the_one_that_was_meant() -> None:
    wanted = {"id": "1", "day": "2", "n": "3"}
    near, far = {"id": "1", "day": "2", "n": "4"}, {"id": "9", "day": "9", "n": "9"}
    assert pair_rows([wanted], [far, near]) == [(wanted, near), (None, far)]


def test_a_difference_names_the_values_and_the_row() -> None:
    place = {"test": "sums", "file": "t.yml", "line": 3}
    both = RowDifference(**place, expected={"id": "1", "n": None}, made={"id": "1", "n": "4"})
    assert both.text == "t.yml:3: sums: n is '4' instead of NULL in the row id='1'"
    assert both.columns == ("n",)
    assert RowDifference(**place, expected={"n": "1"}).text == "t.yml:3: sums: expected and not made: n='1'"
    assert RowDifference(**place, made={"n": None}).text == "t.yml:3: sums: made and not expected: n=NULL"
