"""A contract that Soda would let pass although it judges nothing is refused, with its line."""

from __future__ import annotations

import json
from importlib.metadata import distribution
from pathlib import Path

import pytest

from headwater.domain.names import TableName
from headwater.model.contracts.grammar import COLUMN_CHECKS, DATASET_CHECKS
from headwater.model.contracts.lint import lint_contract

SILVER = TableName.parse("silver.shop.orders")
GOOD = """\
dataset: lake/silver/shop__orders
filter: amount IS NOT NULL
variables: {day: {default: '2013-01-01'}}
checks:
  - row_count: {threshold: {must_be_greater_than: 0}}
  - failed_rows: {name: no negatives, expression: amount < 0, attributes: {on_failure: quarantine}}
  - duplicate: {columns: [id]}
columns:
  - name: id
    checks:
      - missing: {}
      - invalid: {valid_min: 1, threshold: {metric: percent, must_be_less_than: 5}}
      - invalid: {qualifier: top, valid_max: 9, filter: "day = '${var.day}'"}
"""


def _errors(text: str, table: TableName = SILVER) -> list[tuple[str, int | None, str | None]]:
    found = lint_contract(text, "c.yml", table)
    return [(error.message, error.where.line, error.where.key) for error in found if error.where is not None]


def test_a_good_contract_has_no_finding() -> None:
    assert _errors(GOOD) == []


@pytest.mark.parametrize(
    "threshold",
    [
        "{must_be: '${var.least}'}",
        "{must_be_between: {greater_than: 1, less_than: 9.5}}",
        "{must_be_between: {greater_than_or_equal: 0, less_than_or_equal: 0}}",
        "{must_be_greater_than_or_equal: 0}",  # what new-source writes for a table that may be empty
    ],
)
def test_a_number_may_be_a_variable_or_a_bound(threshold: str) -> None:
    text = GOOD.replace("{must_be_greater_than: 0}", threshold).replace(
        "variables: {", "variables: {least: {default: 1}, "
    )
    assert _errors(text) == []


CASES = [
    ("two comparisons", "{must_be_greater_than: 0}", "{must_be_greater_than: 0, must_be_less_than: 9}", 5,
     "checks[0].row_count.threshold", "exactly one comparison"),
    ("no comparison", "{metric: percent, must_be_less_than: 5}", "{metric: percent}", 12,
     "columns[0].checks[1].invalid.threshold", "exactly one comparison"),
    ("a text as threshold", "metric: percent, must_be_less_than: 5", "must_be_less_than: five", 12,
     "columns[0].checks[1].invalid.threshold.must_be_less_than", "compares with a number"),
    ("a number in quotes", "must_be_greater_than: 0", "must_be_greater_than: '0'", 5,
     "checks[0].row_count.threshold.must_be_greater_than", "compares with a number"),
    ("a truth as threshold", "must_be_greater_than: 0", "must_be: true", 5,
     "checks[0].row_count.threshold.must_be", "compares with a number"),
    ("a variable that is no number", "must_be_greater_than: 0", "must_be: '${var.day}'", 5,
     "checks[0].row_count.threshold.must_be", "compares with a number"),
    ("half a range", "must_be_greater_than: 0", "must_be_between: {greater_than: 1}", 5,
     "checks[0].row_count.threshold.must_be_between", "one lower and one upper"),
    ("a range of nothing", "must_be_greater_than: 0", "must_be_between: {greater_than: 9, less_than: 1}", 5,
     "checks[0].row_count.threshold.must_be_between", "nothing lies in this range"),
    ("a percentage of more than all", "must_be_less_than: 5", "must_be_less_than: 500", 12,
     "columns[0].checks[1].invalid.threshold.metric", "between 0 and 100"),
    ("invalid by no rule", "valid_min: 1, ", "", 12, "columns[0].checks[1].invalid", "nothing of what is valid"),
    ("invalid by an empty list", "valid_min: 1", "valid_values: []", 12, "columns[0].checks[1].invalid",
     "nothing of what is valid"),
    ("a text in a range", "must_be_greater_than: 0", "must_be_between: {greater_than: 1, less_than: x}", 5,
     "checks[0].row_count.threshold.must_be_between.less_than", "compares with a number"),
    ("misspelt threshold", "{threshold: {must_be_greater", "{treshold: {must_be_greater", 5,
     "checks[0].row_count.treshold", "unknown key 'treshold'"),
    ("misspelt comparison", "must_be_less_than: 5", "must_be_less_then: 5", 12,
     "columns[0].checks[1].invalid.threshold.must_be_less_then", "unknown key"),
    ("misspelt checks of a column", "    checks:\n", "    cheks:\n", 10, "columns[0].cheks", "unknown key 'cheks'"),
    ("misspelt checks of the dataset", "checks:\n  - row", "chcks:\n  - row", 4, "chcks", "unknown key 'chcks'"),
    ("unknown check", "- missing: {}", "- missng: {}", 11, "columns[0].checks[0].missng", "unknown key 'missng'"),
    ("optional column", "  - name: id\n", "  - name: id\n    optional: true\n", 10, "columns[0].optional",
     "unknown key"),
    ("other table", "shop__orders", "shop__order", 1, "dataset", "of another table"),
    ("percent without row_count", "  - row_count: {threshold: {must_be_greater_than: 0}}\n", "", 11,
     "columns[0].checks[1].invalid.threshold", "a percentage of no rows passes"),
    ("same check twice", "qualifier: top, ", "", 12, "columns[0].checks[1].invalid", "the same check twice"),
    ("undeclared variable", "${var.day}", "${var.night}", 3, "variables", "only variables it declares"),
    ("environment", "${var.day}", "${env.HOME}", 3, "variables", "never the environment"),
    ("unknown outcome", "on_failure: quarantine", "on_failure: drop", 6,
     "checks[1].failed_rows.attributes.on_failure", "no such outcome"),
    ("misspelt attribute", "on_failure: quarantine", "on_failur: quarantine", 6,
     "checks[1].failed_rows.attributes.on_failur", "unknown attribute"),
    ("threshold beside quarantine", "attributes: {on", "threshold: {must_be_less_than: 9}, attributes: {on", 6,
     "checks[1].failed_rows.threshold", "no threshold can apply"),
    ("quarantine of no row rule", "{columns: [id]}", "{columns: [id], attributes: {on_failure: quarantine}}", 7,
     "checks[2].duplicate.attributes.on_failure", "does not judge single rows"),
    ("expression that is no SQL", "amount < 0", "amount <", 6, "checks[1].failed_rows.expression",
     "not valid Spark SQL"),
    ("expression that breaks out", "amount < 0", "1=1) OR (1=1", 6, "checks[1].failed_rows.expression",
     "not valid Spark SQL"),
    ("expression with a clock", "amount < 0", "amount < rand()", 6, "checks[1].failed_rows.expression",
     "another answer"),
    ("unquoted date", "valid_max: 9", "valid_max: 2013-01-01", 13, None, "unquoted date"),
    ("length that is no number", "valid_max: 9", "valid_length: '9'", 13, "columns[0].checks[2].invalid.valid_length",
     "whole number"),
    ("column twice", "  - name: id\n", "  - {name: id}\n  - name: id\n", 9, "columns[0].name", "listed twice"),
    ("two checks in one entry", "- missing: {}", "- {missing: {}, duplicate: {}}", 11, "columns[0].checks[0]",
     "exactly one check"),
    ("a type Soda's schema refuses", "valid_min: 1", "valid_min: [1]", 12,
     "columns[0].checks[1].invalid.valid_min", "is not of type"),
    ("a smallest above the greatest", "valid_min: 1", "valid_min: 9.5, valid_max: 9", 12,
     "columns[0].checks[1].invalid.valid_min", "no value is valid"),
    ("a shortest above the longest", "valid_max: 9", "valid_min_length: 5, valid_max_length: 4", 13,
     "columns[0].checks[2].invalid.valid_min_length", "no value is valid"),
    ("a length beyond the longest", "valid_max: 9", "valid_length: 5, valid_max_length: 4", 13,
     "columns[0].checks[2].invalid.valid_length", "no value is valid"),
    ("a length below 0", "valid_max: 9", "valid_max_length: -1", 13,
     "columns[0].checks[2].invalid.valid_max_length", "never below 0"),
    ("a truth as length", "valid_max: 9", "valid_length: true", 13, "columns[0].checks[2].invalid.valid_length",
     "whole number"),
    ("a pattern that does not compile", "valid_min: 1", "valid_format: {regex: '^[A-Z', name: code}", 12,
     "columns[0].checks[1].invalid.valid_format.regex", "does not compile"),
    ("an empty pattern", "- missing: {}", "- missing: {missing_format: {regex: '', name: blank}}", 11,
     "columns[0].checks[0].missing.missing_format.regex", "matches every text"),
    ("rows below 0", "- missing: {}", "- missing: {threshold: {must_be_less_than: -1}}", 11,
     "columns[0].checks[0].missing.threshold.must_be_less_than", "never below 0"),
    ("fewer rows than none", "metric: percent, must_be_less_than: 5", "must_be_less_than: 0", 12,
     "columns[0].checks[1].invalid.threshold.must_be_less_than", "never opens"),
    ("a range below 0", "must_be_greater_than: 0", "must_be_between: {greater_than: -5, less_than: 9}", 5,
     "checks[0].row_count.threshold.must_be_between.greater_than", "never below 0"),
    ("a warning below 0", "{metric: percent, must_be_less_than: 5}",
     "{must_be: 0, additional: {level: warn, must_be: -1}}", 12,
     "columns[0].checks[1].invalid.threshold.additional.must_be", "never below 0"),
    ("a range of one value without its ends", "must_be_greater_than: 0",
     "must_be_between: {greater_than: 9, less_than_or_equal: 9}", 5,
     "checks[0].row_count.threshold.must_be_between", "nothing lies in this range"),
    ("aggregate without threshold", "- missing: {}", "- aggregate: {function: avg}", 11,
     "columns[0].checks[0].aggregate", "judges nothing"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "message"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_what_soda_lets_pass_is_refused(old: str, new: str, line: int, key: str | None, message: str) -> None:
    assert GOOD.count(old) == 1
    found = _errors(GOOD.replace(old, new))
    assert any(message in text and (at, where) == (line, key) for text, at, where in found), found


def test_a_contract_without_checks_is_refused() -> None:
    assert "without checks" in _errors("dataset: lake/silver/shop__orders\ncolumns: [{name: id}]\n")[0][0]


@pytest.mark.parametrize(
    ("columns", "line", "key", "got"),
    [
        ("", 1, "columns", "no such key"),
        ("columns:\n", 4, "columns", "nothing"),
        ("columns: {id: {}}\n", 4, "columns", "a mapping with the keys id"),
        ("columns:\n  - id\n", 5, "columns[0]", "'id'"),
        ("columns:\n  - {checks: [{missing: {}}]}\n", 5, "columns[0]", "a mapping with the keys checks"),
        ("columns:\n  - {name: 7}\n", 5, "columns[0]", "a mapping with the keys name"),
    ],
    ids=["absent", "empty", "mapping", "text", "nameless", "number"],
)
def test_columns_of_another_shape_are_refused_in_our_words(columns: str, line: int, key: str, got: str) -> None:
    """An image without Soda's schema has to refuse them, too."""
    (error,) = lint_contract(
        "\n".join(GOOD.splitlines()[:1] + GOOD.splitlines()[3:5]) + f"\n{columns}", "c.yml", SILVER
    )
    assert error.where is not None
    assert (error.where.file, error.where.line, error.where.key, error.got) == ("c.yml", line, key, got)
    assert "columns: []" in str(error.allowed)


def test_rows_are_diverted_in_silver_contracts_only() -> None:
    text = GOOD.replace("silver", "gold")
    assert any("on their way to silver" in text for text, _, _ in _errors(text, TableName.parse("gold.shop.orders")))


def test_our_grammar_is_within_the_schema_soda_ships() -> None:
    path = distribution("soda-core").locate_file("soda_core/contracts/soda_data_contract_json_schema_1_0_0.json")
    schema = json.loads(Path(str(path)).read_text(encoding="utf-8"))
    ours = {"attributes", "filter"}  # read by the engine for every check, left out of the schema for two of them
    column = schema["properties"]["columns"]["items"]["allOf"][0]["properties"]["checks"]["items"]["anyOf"]
    for grammar, entries in (
        (COLUMN_CHECKS, column),
        (DATASET_CHECKS, schema["properties"]["checks"]["items"]["anyOf"]),
    ):
        theirs = {kind: body for entry in entries for kind, body in entry["properties"].items()}
        assert theirs.keys() == grammar.keys()
        for kind, body in theirs.items():
            keys = (body["oneOf"][0] if "oneOf" in body else body)["properties"].keys()
            assert grammar[kind] == (keys | ours) - {"scope"}
