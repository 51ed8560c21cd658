"""What a source's columns may become before a gate has seen them (rule 14)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.domain.errors import SchemaDriftError
from headwater.domain.names import Layer, TableName
from headwater.domain.schema import BRONZE_SYSTEM_COLUMNS, Column, TableSchema
from headwater.domain.widening import is_widening
from headwater.services.drift import reconcile
from headwater.services.misfits import Origin

TABLE = TableName(layer=Layer.BRONZE, source="flights", table="flights")
RELATION = "public.flights"


def schema(**types: str) -> TableSchema:
    return TableSchema(columns=tuple(Column(name=name, type=type_) for name, type_ in types.items()))


def live(**types: str) -> TableSchema:
    return TableSchema(columns=(*schema(**types).columns, *BRONZE_SYSTEM_COLUMNS))


def test_equal_columns_change_nothing_whatever_their_order() -> None:
    change = reconcile(TABLE, live(a="int", b="string"), schema(b="string", a="int"), "stop", Origin(RELATION))

    assert change.add == ()
    assert change.widen == {}


def drift(was: TableSchema, now: TableSchema, policy: str = "stop", database: bool = True) -> SchemaDriftError:
    with pytest.raises(SchemaDriftError) as caught:
        reconcile(TABLE, was, now, policy, Origin(RELATION, in_database=database))
    return caught.value


@pytest.mark.parametrize("policy", ["stop", "evolve"])
def test_a_column_that_was_renamed_stops_and_gets_its_name_back(policy: str) -> None:
    error = drift(live(a="int", tailnum="string"), schema(a="int", tail_no="string"), policy)
    assert (error.facts["column"], error.facts["new_column"], error.facts["count"]) == ("tailnum", "tail_no", "1")
    assert error.facts["changes"] == "column tailnum vanished, probably renamed to tail_no"
    assert error.facts["fix_sql"] == 'ALTER TABLE "public"."flights" RENAME COLUMN "tail_no" TO "tailnum";'


def test_a_column_that_was_dropped_has_no_statement_that_brings_its_values_back() -> None:
    """Two of one type are no evidence for a rename either."""
    for now in (schema(a="int"), schema(a="int", b="string", c="string")):
        error = drift(live(a="int", tailnum="string"), now)
        assert "column tailnum of type string vanished" in error.facts["changes"]
        assert not {"fix_sql", "evolved_table", "also_evolved_table", "new_column"} & set(error.facts)


def test_another_kind_of_database_gets_no_statements_of_postgresql() -> None:
    """They are run as they stand: MySQL takes a name in double quotes for a text."""
    was, now = live(a="int", tailnum="string"), schema(a="int", tail_no="string")
    with pytest.raises(SchemaDriftError) as caught:
        reconcile(TABLE, was, now, "stop", Origin("shop.flights", in_postgres=False))
    assert "probably renamed to tail_no" in caught.value.facts["changes"]
    assert "fix_sql" not in caught.value.facts


def test_every_change_is_named_and_all_of_them_are_mended_or_none() -> None:
    was = live(a="int", b="int", tailnum="string")
    error = drift(was, schema(a="string", b="long", tail_no="string", gate="int"))
    assert error.facts["count"] == "4"
    assert error.facts["known_columns"] == "3"
    assert "and 1 more" in error.facts["changes"]
    assert error.facts["fix_sql"].splitlines() == [
        'ALTER TABLE "public"."flights" RENAME COLUMN "tail_no" TO "tailnum";',
        'ALTER TABLE "public"."flights" ALTER COLUMN "a" TYPE integer USING "a"::integer;',
    ]
    assert error.facts["also_evolved_table"] == "flights"
    assert "fix_sql" not in drift(was, schema(a="double", b="int", tail_no="string")).facts


def test_new_columns_and_wider_types_alone_are_taken_over() -> None:
    error = drift(live(a="int"), schema(a="long", b="string"))
    assert error.facts["changes"] == "column b appeared with type string; column a widened from int to long"
    assert error.facts["evolved_table"] == "flights"
    assert not {"fix_sql", "also_evolved_table"} & set(error.facts)


@pytest.mark.parametrize(
    ("was", "is_now", "undone"),
    [("int", "string", True), ("decimal(10,2)", "int", True), ("int", "double", False), ("date", "timestamp", False)],
)
def test_a_type_is_taken_back_only_where_no_value_would_be_rounded_or_cut(was: str, is_now: str, undone: bool) -> None:
    assert ("fix_sql" in drift(live(a=was), schema(a=is_now)).facts) is undone


def test_files_know_no_statement() -> None:
    assert "fix_sql" not in drift(live(a="int"), schema(a="string"), database=False).facts


@pytest.mark.parametrize(("policy", "added"), [("stop", None), ("evolve", ("b",))])
def test_a_new_column_stops_unless_the_table_evolves(policy: str, added: tuple[str, ...] | None) -> None:
    if added is None:
        with pytest.raises(SchemaDriftError, match="column b appeared"):
            reconcile(TABLE, live(a="int"), schema(a="int", b="string"), policy, Origin(RELATION))
        return

    change = reconcile(TABLE, live(a="int"), schema(a="int", b="string"), policy, Origin(RELATION))

    assert tuple(column.name for column in change.add) == added
    assert not change.add[0].required


def test_widening_needs_the_evolve_policy() -> None:
    assert reconcile(TABLE, live(a="int"), schema(a="long"), "evolve", Origin(RELATION)).widen == {"a": "long"}


@pytest.mark.parametrize("policy", ["stop", "evolve"])
@pytest.mark.parametrize(("was", "is_now"), [("int", "string"), ("decimal(10,2)", "decimal(12,3)"), ("string", "int")])
def test_a_change_of_type_stops_under_every_policy(policy: str, was: str, is_now: str) -> None:
    with pytest.raises(SchemaDriftError, match="changed from"):
        reconcile(TABLE, live(a=was), schema(a=is_now), policy, Origin(RELATION))


def test_a_source_that_narrowed_goes_on_in_the_wider_type_of_the_table() -> None:
    assert reconcile(TABLE, live(a="long"), schema(a="int"), "stop", Origin(RELATION)).widen == {}


@given(st.integers(1, 38), st.integers(0, 38), st.integers(1, 38), st.integers(0, 38))
def test_a_decimal_widens_only_to_more_digits_of_the_same_scale(p1: int, s1: int, p2: int, s2: int) -> None:
    assert is_widening(f"decimal({p1},{s1})", f"decimal({p2},{s2})") == (s1 == s2 and p2 > p1)


def test_quarantine_leaves_new_columns_out_and_has_values_judged() -> None:
    was, now = live(a="int", b="int", c="int"), schema(a="long", b="string", c="int", d="int")
    change = reconcile(TABLE, was, now, "quarantine", Origin(RELATION))
    assert (change.add, change.widen) == ((), {})
    assert [column.name for column in change.left_out] == ["d"]
    assert change.judged == {"a": "long", "b": "string"}


@pytest.mark.parametrize(
    ("was", "now", "fixed"),
    [
        ({"a": "int"}, {"a": "string"}, ("a",)),  # a key or cursor: identity would be guessed
        ({"a": "int"}, {"a": "long"}, ("a",)),
        ({"a": "binary"}, {"a": "string"}, ()),  # a text may be digits of bytes by chance
        ({"a": "int", "b": "int"}, {"a": "int"}, ()),
        ({"a": "int", "b": "int"}, {"a": "int", "c": "int"}, ()),
    ],
)
def test_what_no_single_value_can_tell_stops_under_quarantine_too(
    was: dict[str, str], now: dict[str, str], fixed: tuple[str, ...]
) -> None:
    with pytest.raises(SchemaDriftError):
        reconcile(TABLE, live(**was), schema(**now), "quarantine", Origin(RELATION), fixed=fixed)


def test_declared_columns_of_files_stop_under_quarantine_as_under_stop() -> None:
    for now in (schema(a="int", b="int"), schema(a="long")):
        drift(live(a="int"), now, "quarantine", database=False)


def test_another_case_is_a_rename_whatever_else_is_new() -> None:
    error = drift(live(a="int", note="string"), schema(a="int", other="string", NOTE="string"), "evolve")
    assert error.facts["new_column"] == "NOTE"
