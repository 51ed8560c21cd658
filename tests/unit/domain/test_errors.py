"""An error can be printed and stored, whatever a source holds."""

from __future__ import annotations

import pickle

import pytest

from headwater.domain.errors import SchemaDriftError


@pytest.mark.parametrize(("found", "shown"), [("x\udcff", "x\\udcff"), ("a\0b", "a\\x00b"), ("é\\ud800", "é\\ud800")])
def test_what_is_no_text_is_escaped(found: str, shown: str) -> None:
    error = SchemaDriftError(f"has {found}", got=found, facts={"column": found})
    assert (error.message, error.got, error.facts) == (f"has {shown}", shown, {"column": shown})
    assert str(error).encode()
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own bytes


def test_nothing_got_stays_nothing() -> None:
    assert SchemaDriftError("is gone").got is None
