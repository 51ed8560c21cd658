"""What a source's columns may become before a gate has seen them (rule 14)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.errors import SchemaDriftError
from headwater.domain.names import Layer, TableName
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS, Column, TableSchema
from headwater.services.drift import is_widening, reconcile

TABLE = TableName(layer=Layer.BRONZE, source="flights", table="flights")
RELATION = "public.flights"


def schema(**types: str) -> TableSchema:
    return TableSchema(columns=tuple(Column(name=name, type=type_) for name, type_ in types.items()))


def live(**types: str) -> TableSchema:
    return TableSchema(columns=(*schema(**types).columns, *BRONZE_SYSTEM_COLUMNS))


def test_equal_columns_change_nothing_whatever_their_order() -> None:
    change = reconcile(TABLE, live(a="int", b="string"), schema(b="string", a="int"), "stop", RELATION)

    assert change.add == ()
    assert change.widen == {}


def test_a_column_that_vanished_stops_and_names_the_one_it_was_probably_renamed_to() -> None:
    with pytest.raises(SchemaDriftError) as caught:
        reconcile(TABLE, live(a="int", tailnum="string"), schema(a="int", tail_no="string"), "evolve", RELATION)

    assert caught.value.facts["column"] == "tailnum"
    assert caught.value.facts["fix_sql"] == 'ALTER TABLE public.flights RENAME COLUMN "tail_no" TO "tailnum"'
    assert "probably renamed" in caught.value.message


@pytest.mark.parametrize(("policy", "added"), [("stop", None), ("evolve", ("b",))])
def test_a_new_column_stops_unless_the_table_evolves(policy: str, added: tuple[str, ...] | None) -> None:
    if added is None:
        with pytest.raises(SchemaDriftError, match="is new in"):
            reconcile(TABLE, live(a="int"), schema(a="int", b="string"), policy, RELATION)
        return

    change = reconcile(TABLE, live(a="int"), schema(a="int", b="string"), policy, RELATION)

    assert tuple(column.name for column in change.add) == added
    assert not change.add[0].required


def test_widening_needs_the_evolve_policy_and_says_how_to_take_the_type_back() -> None:
    assert reconcile(TABLE, live(a="int"), schema(a="long"), "evolve", RELATION).widen == {"a": "long"}
    with pytest.raises(SchemaDriftError) as caught:
        reconcile(TABLE, live(a="int"), schema(a="long"), "stop", RELATION)
    assert caught.value.facts["fix_sql"].startswith('ALTER TABLE public.flights ALTER COLUMN "a" TYPE integer')


@pytest.mark.parametrize("policy", ["stop", "evolve"])
@pytest.mark.parametrize(("was", "is_now"), [("int", "string"), ("decimal(10,2)", "decimal(12,3)"), ("string", "int")])
def test_a_change_of_type_stops_under_every_policy(policy: str, was: str, is_now: str) -> None:
    with pytest.raises(SchemaDriftError, match="is now"):
        reconcile(TABLE, live(a=was), schema(a=is_now), policy, RELATION)


def test_a_source_that_narrowed_goes_on_in_the_wider_type_of_the_table() -> None:
    assert reconcile(TABLE, live(a="long"), schema(a="int"), "stop", RELATION).widen == {}


@given(st.integers(1, 38), st.integers(0, 38), st.integers(1, 38), st.integers(0, 38))
def test_a_decimal_widens_only_to_more_digits_of_the_same_scale(p1: int, s1: int, p2: int, s2: int) -> None:
    assert is_widening(f"decimal({p1},{s1})", f"decimal({p2},{s2})") == (s1 == s2 and p2 > p1)
