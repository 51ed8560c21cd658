"""Iceberg types as text."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.adapters.iceberg.column_types import PRIMITIVES, format_type, iceberg_schema, parse_type, table_schema
from headwater.domain.errors import SchemaDriftError
from headwater.domain.schema import Column, TableSchema

_PRIMITIVE = st.sampled_from(PRIMITIVES) | st.builds(
    lambda precision, scale: f"decimal({precision},{min(precision, scale)})", st.integers(1, 38), st.integers(0, 38)
)
_FIELDS = st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), min_size=1, max_size=4, unique=True)


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    structs = _FIELDS.flatmap(
        lambda names: st.tuples(*(inner for _ in names)).map(
            lambda types: "struct<" + ", ".join(f"{n}: {t}" for n, t in zip(names, types, strict=True)) + ">"
        )
    )
    maps = st.builds(lambda key, value: f"map<{key}, {value}>", _PRIMITIVE, inner)
    return inner.map(lambda element: f"list<{element}>") | maps | structs


@given(st.recursive(_PRIMITIVE, _nested, max_leaves=6))
def test_every_type_reads_back_as_written(text: str) -> None:
    ids = count(1)
    assert format_type(parse_type(text, lambda: next(ids))) == text


@pytest.mark.parametrize(
    "text",
    ["", "time", "timestamp_ns", "varchar(3)", "decimal(10)", "list<>", "list<int, int>", "map<int>", "struct<a>"],
)
def test_a_type_no_table_can_hold_is_refused_with_those_it_can(text: str) -> None:
    """Rule 30."""
    ids = count(1)
    with pytest.raises(SchemaDriftError) as refused:
        parse_type(text, lambda: next(ids))
    assert refused.value.allowed is not None
    assert all(form in refused.value.allowed for form in ("list<", "map<", "struct<"))
    assert refused.value.remedy is not None


def test_field_ids_of_a_schema_are_distinct_also_inside_nested_types() -> None:
    """Rule 12: a file's columns are matched by them."""
    columns = (
        Column(name="a", type="struct<x: int, y: list<int>>"),
        Column(name="b", type="map<string, int>", required=True),
    )
    names = iceberg_schema(TableSchema(columns=columns))._lazy_id_to_name
    assert set(names.values()) == {"a", "a.x", "a.y", "a.y.element", "b", "b.key", "b.value"}


def test_tables_keep_every_column_nullable_whatever_the_source_says() -> None:
    """A NOT NULL of the source is the contract's business: a table must be able to hold what broke it."""
    schema = iceberg_schema(TableSchema(columns=(Column(name="a", type="int", required=True),)))
    assert [(column.name, column.required) for column in table_schema(schema).columns] == [("a", False)]
