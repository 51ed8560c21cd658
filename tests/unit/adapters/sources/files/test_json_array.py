"""Elements of an array are cut where JSON ends them, however the text arrives."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.adapters.sources.files.json_array import JsonArray, NoArrayError
from headwater.adapters.sources.files.json_values import decoded, text_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def cut(text: str, size: int) -> Iterator[str]:
    return (text[place : place + size] for place in range(0, len(text), size))


@given(st.lists(JSON, max_size=5), st.integers(1, 9), st.sampled_from([None, 2]))
def test_elements_are_those_of_the_array(values: list[object], size: int, indent: int | None) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=False)
    assert [json.loads(element) for element in JsonArray(cut(text, size), 1 << 20).elements()] == values


@given(st.lists(JSON, min_size=1, max_size=3), st.data())
def test_an_array_cut_off_is_no_array(values: list[object], data: st.DataObject) -> None:
    text = json.dumps(values)
    short = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(NoArrayError):
        list(JsonArray(iter([short]), 1 << 20).elements())


@pytest.mark.parametrize("number", ["0.10", "1e400", "-0", "12345678901234567890.123456789012345678901234567890"])
def test_numbers_keep_their_digits(number: str) -> None:
    assert text_of(decoded(number)) == number
    assert text_of(decoded(f'{{"a": [{number}, null, true, "é"]}}')) == f'{{"a":[{number},null,true,"é"]}}'
