"""The predicate of a check is true for exactly the rows Soda counts as offending, and false, never NULL, for others."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from headwater.model.contracts.contract import declared_checks, quarantine_rules
from headwater.model.contracts.predicates import literal, quoted, row_predicate
from headwater.model.sql.expressions import parse_expression

ROWS = [None, "", "a", "b", "abc", "it's"]
CASES: list[tuple[str, dict[str, Any], list[str | None]]] = [
    ("missing", {}, [None]),
    ("missing", {"missing_values": ["", "it's"]}, [None, "", "it's"]),
    ("missing", {"missing_format": {"name": "x", "regex": "^a.*"}}, [None, "a", "abc"]),
    ("missing", {"filter": "x <> 'a'"}, []),
    ("invalid", {"valid_values": ["a", "b"]}, ["", "abc", "it's"]),
    ("invalid", {"valid_values": []}, ["", "a", "b", "abc", "it's"]),
    ("invalid", {"invalid_values": ["a"]}, ["a"]),
    ("invalid", {"valid_format": {"name": "x", "regex": "^[a-c]+$"}}, ["", "it's"]),
    ("invalid", {"invalid_format": {"name": "x", "regex": "'"}}, ["it's"]),
    ("invalid", {"valid_length": 1}, ["", "abc", "it's"]),
    ("invalid", {"valid_min_length": 1, "valid_max_length": 3}, ["", "it's"]),
    ("invalid", {"valid_min": "a", "valid_max": "b"}, ["", "it's"]),
    ("failed_rows", {"expression": "x > 'a'"}, ["b", "abc", "it's"]),
]


@pytest.mark.parametrize(("kind", "body", "offending"), CASES)
def test_nulls_are_missing_and_never_invalid(kind: str, body: dict[str, Any], offending: list[str | None]) -> None:
    predicate = row_predicate(kind, "x", body, None)
    assert predicate is not None
    condition = sqlglot.transpile(predicate, read="spark", write="duckdb")[0]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (x VARCHAR)")
        connection.executemany("INSERT INTO t VALUES (?)", [[row] for row in ROWS])
        found = connection.execute(f"SELECT x, {condition} FROM t").fetchall()
    assert None not in [verdict for _, verdict in found]
    assert {row for row, verdict in found if verdict} == set(offending)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("duplicate", {}),
        ("aggregate", {"function": "avg"}),
        ("metric", {"expression": "sum(x)"}),
        ("row_count", {}),
        ("invalid", {"valid_reference_data": {"dataset": "d", "column": "c"}}),
        ("failed_rows", {"query": "SELECT 1"}),
    ],
)
def test_checks_that_judge_no_single_row_have_no_predicate(kind: str, body: dict[str, Any]) -> None:
    assert row_predicate(kind, "x", body, None) is None


@given(st.text(max_size=30))
def test_any_text_is_one_literal(text: str) -> None:
    if not text.isprintable():
        return
    tree = parse_expression(literal(text))
    assert isinstance(tree, exp.Literal)
    assert tree.this == text


@pytest.mark.parametrize("text", ["a'b", "a\\", "\\'", "x' OR '1'='1", "'; DROP TABLE x; --", "/* */", "\\\\'", "${x}"])
def test_injection_stays_text(text: str) -> None:
    predicate = row_predicate("invalid", "x", {"valid_values": [text]}, None)
    tree = sqlglot.parse_one(f"SELECT {predicate}", read="spark")
    assert [found.this for found in tree.find_all(exp.Literal)] == [text]


@pytest.mark.parametrize("name", ["a`b", "a.b", "a b", '"a"', "a` OR 1=1 --", "é"])
def test_any_column_name_is_one_identifier(name: str) -> None:
    tree = parse_expression(quoted(name))
    assert isinstance(tree, exp.Column)
    assert [part.name for part in tree.parts] == [name]


CONTRACT = """\
dataset: lake/silver/shop__orders
filter: region = '${var.region}'
variables: {region: {default: EU}}
checks:
  - row_count: {}
  - failed_rows: {name: no negatives, expression: amount < 0, attributes: {on_failure: quarantine}}
columns:
  - name: id
    checks:
      - missing: {attributes: {on_failure: quarantine}}
      - invalid: {qualifier: top, valid_max: 9, threshold: {metric: percent, must_be_less_than: 5, level: warn}}
"""


def test_declared_checks_have_the_paths_soda_reports() -> None:
    found = declared_checks(CONTRACT)
    assert [check.path for check in found] == [
        "columns.id.checks.missing",
        "columns.id.checks.invalid.top",
        "checks.row_count",
        "checks.failed_rows",
    ]
    assert [check.threshold for check in found] == [
        "must_be 0",
        "must_be_less_than 5 percent (warns)",
        "must_be_greater_than 0",
        "must_be 0",
    ]


def test_the_filter_of_the_contract_and_its_variables_are_part_of_every_rule() -> None:
    assert quarantine_rules(CONTRACT) == {
        "columns.id.checks.missing": "coalesce((region = 'EU') AND (`id` IS NULL), false)",
        "no negatives": "coalesce((region = 'EU') AND (amount < 0), false)",
    }
