"""How deep a JSON value may be is decided by the value, not by who reads it."""

from __future__ import annotations

import pytest

from headwater.adapters.sources.files.json_values import MOST_LEVELS, TooDeepError, decoded, text_of


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize("frames", [0, 250])
def test_the_deepest_value_is_told_as_it_is_written(frames: int) -> None:
    if frames:
        test_the_deepest_value_is_told_as_it_is_written(frames - 1)
        return
    assert text_of(decoded(nested(MOST_LEVELS))) == nested(MOST_LEVELS)


@pytest.mark.parametrize("levels", [MOST_LEVELS + 1, 500, 100_000])
def test_a_deeper_one_is_refused(levels: int) -> None:
    with pytest.raises(TooDeepError):
        decoded(nested(levels))
    with pytest.raises(TooDeepError):
        decoded('{"a":' * levels + "1" + "}" * levels)


def test_many_brackets_beside_each_other_are_not_deep() -> None:
    assert len(decoded("[" + ",".join(["[]"] * 1000) + "]")) == 1000
