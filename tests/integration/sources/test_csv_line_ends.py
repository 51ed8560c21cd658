"""Line ends that only some programs take for line ends: refused where rows would be lost, values where quoted."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.sources.landing_under_test import Landing
from tests.integration.sources.sources_under_test import rows_of

from headwater.domain.errors import SourceDataError


@pytest.mark.parametrize("text", [b"id,s\r1,a\r2,b\r", b'id,s\r1,"a"\r', b'"id",s\r1,"a\rb"\r\n'])
def test_a_file_whose_lines_end_in_cr_is_refused_also_where_any_columns_are_borne(tmp_path: Path, text: bytes) -> None:
    """All of it would be a header, of which one column is known, and none of its rows would be missed."""
    landing = Landing(tmp_path)
    landing.land("a.csv", text)
    table = landing.table(columns={"id": "int"}, undeclared_fields="ignore", missing_fields="null")
    with pytest.raises(SourceDataError, match="lines that end in CR alone"):
        landing.run(table)


def test_a_quoted_name_may_hold_a_line_end(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    landing.land("a.csv", b'id,"a\rb"\r\n1,x\r\n')
    assert rows_of(landing.run(landing.table(columns={"id": "int"}, undeclared_fields="ignore")), "id") == [(1,)]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (b"a\rb\r", {"s": "string"}),
        (b"1\r2\r3", {"s": "int"}),
        (b'"a\rb"\rc\r', {"s": "string"}),
        (b"1,a\r2,b\r", {"s": "int", "t": "string"}),
    ],
)
def test_a_file_without_header_whose_lines_end_in_cr_is_refused(
    tmp_path: Path, text: bytes, columns: dict[str, str]
) -> None:
    """All of it would be one value, or one record set aside."""
    landing = Landing(tmp_path)
    landing.land("a.csv", text)
    with pytest.raises(SourceDataError, match="lines that end in CR alone"):
        landing.run(landing.table(columns=columns, header=False, max_quarantined_share=1))


@pytest.mark.parametrize(
    ("text", "rows"),
    [(b'"a\rb"', ["a\rb"]), (b"a\r", ["a"]), (b"a\r\nb", ["a", "b"]), (b"a\rb\nc\n", ["a\rb", "c"])],
    ids=["quoted", "one line", "CR LF", "within a line"],
)
def test_a_carriage_return_that_ends_no_line_is_of_its_value(tmp_path: Path, text: bytes, rows: list[str]) -> None:
    landing = Landing(tmp_path)
    landing.land("a.csv", text)
    table = landing.table(columns={"s": "string"}, header=False)
    assert sorted(rows_of(landing.run(table), "s")) == [(value,) for value in rows]
