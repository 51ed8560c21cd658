"""How red fixtures look on a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from headwater.cli.testing import _chosen, difference_table, print_results
from headwater.domain.differences import RowDifference
from headwater.domain.errors import NotFoundError
from headwater.domain.job import TableResult
from headwater.domain.names import TableName

PLACE = {
    "test": "sums [a] of every row, and a rule that is far longer than its table is wide",
    "file": "t.yml",
    "line": 3,
}
ORDERS, REVENUE = TableName.parse("silver.shop.orders"), TableName.parse("gold.shop.revenue")


def _shown(difference: RowDifference) -> str:
    out = io.StringIO()
    Console(file=out, width=100, color_system="standard", force_terminal=True).print(difference_table(difference))
    return out.getvalue()


def test_the_expected_row_stands_above_the_one_made_and_only_what_differs_is_marked() -> None:
    text = _shown(RowDifference(**PLACE, expected={"id": "1", "n": None}, made={"id": "1", "n": "[4]"}))
    assert text.index("expected") < text.index("made")
    assert "\x1b[1;32mNULL" in text
    assert "\x1b[1;31m[4]" in text
    assert "\x1b[1;32m1" not in text


def test_a_row_without_a_partner_is_marked_whole() -> None:
    text = _shown(RowDifference(**PLACE, made={"id": "1", "n": "4"}))
    assert "expected" not in text
    assert "\x1b[1;31m1" in text


def test_rows_that_are_not_shown_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    shown = (RowDifference(**PLACE, made={"n": "4"}),)
    red = TableResult(table=REVENUE, status="red", facts={"count": "7"}, row_differences=shown)
    failed = TableResult(table=ORDERS, status="failed", error="Spark could not make it")
    print_results((red, failed), {REVENUE: 1, ORDERS: 2})
    text = capsys.readouterr().out
    assert f"t.yml:3: {PLACE['test']}\n" in text, "on one line, whatever the width of the table"
    assert "gold.shop.revenue  1 test, 0.0 s" in text
    assert "… and 6 more rows" in text
    assert "Spark could not make it" in text


def test_tables_are_chosen_by_either_name_and_an_unknown_one_is_refused() -> None:
    known = (ORDERS, REVENUE)
    assert _chosen(known, []) == known
    assert _chosen(known, ["revenue"]) == _chosen(known, ["gold.shop.revenue"]) == (REVENUE,)
    with pytest.raises(NotFoundError, match="no fixture") as refused:
        _chosen(known, ["orders", "ordres"])
    assert refused.value.got == "ordres"
