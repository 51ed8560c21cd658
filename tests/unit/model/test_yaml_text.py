"""YAML is read as it is written: whatever survives is what a person sees, and everything else is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from headwater.domain.errors import Location, SpecError
from headwater.model.yaml_guards import MAX_BYTES
from headwater.model.yaml_text import parse_yaml

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12).filter(
    lambda text: "{{" not in text and "{%" not in text and not set("\ufeff\ufffe\uffff") & set(text)
)
_SCALARS = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | _TEXT
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3), max_leaves=6
)


@given(st.dictionaries(_TEXT, _VALUES, max_size=3))
def test_json_means_the_same_in_our_yaml(value: dict[str, Any]) -> None:
    assert parse_yaml(json.dumps(value, ensure_ascii=False).encode(), "f.yaml").value == value


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_the_file(content: bytes) -> None:
    try:
        parse_yaml(content, "f.yaml")
    except SpecError as error:
        found = error.where
    else:
        found = Location("f.yaml")
    assert found is not None
    assert found.file == "f.yaml"


@given(st.text(max_size=200))
@example("=")
@example("a: =")
def test_any_text_agrees_with_the_plain_loader_or_is_refused(text: str) -> None:
    try:
        value = parse_yaml(text.encode("utf-8", "surrogatepass"), "f.yaml").value
    except SpecError:
        return
    assert _plain(value) == _plain(_PlainLoader(text.removeprefix("\ufeff")).get_single_data())


class _PlainLoader(yaml.CSafeLoader):
    """YAML 1.1 names a type for ``=`` that the plain loader cannot make; for us it is the text it looks like."""


_PlainLoader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)


def _plain(value: Any) -> Any:
    """Dates stay text on our side, so compare their text; everything else must be equal."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, int | float | str | None) else "a date"


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("a: 1\nb:\n  c: 2\n  c: 3\n", 4, "b.c"),
        ("a: 1\nb:\n- x\n- {no: 1}\n", 4, "b[1].no"),
        ("a:\n  1: x\n", 2, "a.1"),
        ("a:\n  ? [x]\n  : 1\n", 2, "a"),
        ("a:\n  - on\n", 2, "a[0]"),
        ("a: .inf\n", 1, "a"),
        ("a: 1_000\n", 1, "a"),
        ("a: 0x1f\n", 1, "a"),
    ],
)
def test_a_refusal_names_line_and_key(text: str, line: int, key: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_yaml(text.encode(), "f.yaml")
    assert caught.value.where is not None
    assert (caught.value.where.line, caught.value.where.key) == (line, key)


def test_a_date_stays_the_text_it_is() -> None:
    assert parse_yaml(b"a: 2013-01-01\nb: 2013-01-01T10:00:00Z\n", "f.yaml").value == {
        "a": "2013-01-01",
        "b": "2013-01-01T10:00:00Z",
    }


def test_a_date_without_quotes_is_refused_where_soda_would_drop_it() -> None:
    with pytest.raises(SpecError, match="unquoted date"):
        parse_yaml(b"a:\n  b: 2013-01-01\n", "f.yml", dates_as_text=False)


def test_stars_of_cron_and_quoted_marks_are_no_anchors() -> None:
    assert parse_yaml(b"a: '*/5 * * * *'\nb: '&x !y *z'\n", "f.yaml").value == {"a": "*/5 * * * *", "b": "&x !y *z"}


@pytest.mark.parametrize("bomb", ["[" * 200_000, "- " * 100_000, "{a: " * 50_000, "a: " + "[" * 1000 + "]" * 1000])
def test_deep_nesting_is_refused_before_it_exhausts_the_stack(bomb: str) -> None:
    with pytest.raises(SpecError, match="nested deeper"):
        parse_yaml(bomb.encode(), "f.yaml")


def test_a_large_file_is_refused_unread() -> None:
    with pytest.raises(SpecError, match="too large"):
        parse_yaml(b"#" * (MAX_BYTES + 1), "f.yaml")
