"""Whatever a fact holds, a shell takes it as one word and a database as one literal or name."""

from __future__ import annotations

import shlex

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st

from headwater.services.incidents.placeholders import FactMissingError, fill_command, fill_sql, fill_text

values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(values)
def test_a_value_is_one_word_of_a_command(value: str) -> None:
    words = shlex.split(fill_command("uv run headwater connections set {connection}", {"connection": value}))
    assert words == ["uv", "run", "headwater", "connections", "set", value.replace("{incident}", "{ incident }")]


@given(st.text("ab'\"\\;-{}% ", min_size=1))
def test_a_value_is_one_literal_or_name_of_a_statement(value: str) -> None:
    text = fill_sql("SELECT {column:name} FROM t WHERE x = {value}", {"column": value, "value": value})
    statements = sqlglot.parse(text, read="postgres")
    assert len(statements) == 1
    (select,) = statements
    assert select is not None
    assert [literal.this for literal in select.find_all(sqlglot.exp.Literal)] == [value]
    assert [column.name for column in select.find_all(sqlglot.exp.Column)] == [value, "x"]


def test_a_table_whose_name_has_dots_is_one_name() -> None:
    """As an extract reads it: the first dot ends the schema."""
    assert fill_sql("{relation:name}", {"relation": "public.a.b"}) == '"public"."a.b"'


def test_a_relation_keeps_its_dots_and_a_column_does_not() -> None:
    facts = {"relation": "public.flights", "column": "a.b"}
    assert fill_sql("{relation:name} {column:name}", facts) == '"public"."flights" "a.b"'


def test_statements_go_in_as_they_are() -> None:
    assert fill_sql("{fix_sql}", {"fix_sql": "ALTER TABLE t ADD c int"}) == "ALTER TABLE t ADD c int"


@given(values)
def test_a_text_stays_on_one_line(value: str) -> None:
    assert len(fill_text("a {x} b", {"x": value, "incident": "7"}).splitlines()) == 1


def test_the_incidents_own_number_waits_for_the_store_and_cannot_be_forged() -> None:
    assert fill_text("{incident} {x}", {"x": "{incident}"}) == "{incident} { incident }"


@pytest.mark.parametrize("facts", [{}, {"x": ""}])
def test_a_missing_or_empty_fact_is_named(facts: dict[str, str]) -> None:
    with pytest.raises(FactMissingError, match="x"):
        fill_text("{x}", facts)
