"""The table is whole: every word of the requirement is a case, and every case is driven by a test."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.bad_input.bad_input import BadInput, WrongData, WrongFiles, WrongText
from tests.bad_input.table import RULES, TABLE, cases
from tests.bad_input.unknown_connection import UNKNOWN_CONNECTION

from headwater.domain import errors
from headwater.domain.errors import HeadwaterError

ROOT = Path(__file__).parents[2]
CODES = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, HeadwaterError)}


@pytest.mark.parametrize("rule", RULES)
def test_every_word_of_the_requirement_has_cases(rule: str) -> None:
    assert [row for row in TABLE if row.rule == rule]


def test_no_case_belongs_to_words_nobody_said() -> None:
    assert {row.rule for row in TABLE} - {""} == set(RULES)


def test_every_kind_of_row_drives_a_test() -> None:
    driven = [*cases(WrongText), *cases(WrongFiles), *cases(WrongData), *UNKNOWN_CONNECTION]
    assert {id(row) for row in TABLE} == {id(row) for row in driven}
    names = [(row.rule, row.case) for row in TABLE]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.rule} - {row.case}")
def test_a_row_says_the_same_in_all_its_columns(row: BadInput) -> None:
    assert row.exit_status == (1 if row.outcome == "refused" else 0)
    assert (row.code in CODES) == (row.outcome == "refused")
    if row.outcome == "refused":
        assert (ROOT / "include" / "runbooks" / f"{row.code}.md").is_file()
    assert row.rows


@pytest.mark.parametrize("test", sorted({row.also for row in TABLE if row.also}))
def test_what_follows_a_case_further_exists(test: str) -> None:
    file, _, name = test.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text()
