"""Masked values are HMAC-SHA256 with the key's version in front (rule 36)."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from headwater.domain.masking import FIXTURE_KEY, MaskingKey


def test_the_masked_value_of_a_known_text_never_changes() -> None:
    """RFC 4231, test case 2."""
    key = MaskingKey(version="7", key=SecretStr("Jefe"))
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert key.mask("what do ya want for nothing?") == f"7:{expected}"


@given(key=st.text(st.characters(codec="utf-8"), min_size=1, max_size=200), text=st.text(max_size=50))
def test_two_prefixed_hashes_are_hmac(key: str, text: str) -> None:
    """What Spark does, which has sha256 only; keys longer than a block included."""
    made = MaskingKey(version="1", key=SecretStr(key))
    inner = hashlib.sha256(made.pads.inner + text.encode()).digest()
    assert made.mask(text) == "1:" + hashlib.sha256(made.pads.outer + inner).hexdigest()


def test_the_key_is_never_shown() -> None:
    assert "unit tests" not in repr(FIXTURE_KEY)
    assert "unit tests" not in FIXTURE_KEY.model_dump_json()


def test_a_version_is_told_apart_from_the_digest() -> None:
    with pytest.raises(ValidationError):
        MaskingKey(version="a:b", key=SecretStr("x"))
