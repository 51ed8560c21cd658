"""Whatever a fact holds, a shell takes it as one word and a database as one literal."""

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
def test_a_value_is_one_literal_of_a_statement(value: str) -> None:
    (select,) = sqlglot.parse(fill_sql("SELECT 1 FROM t WHERE x = {value}", {"value": value}), read="postgres")
    assert select is not None
    assert [literal.this for literal in select.find_all(sqlglot.exp.Literal)] == ["1", value]


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
