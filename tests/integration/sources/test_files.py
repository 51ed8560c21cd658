"""Files are taken exactly once; a bad line costs one line; nothing outside the folder is read (rule 29)."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.integration.sources.landing_under_test import Landing
from tests.integration.sources.sources_under_test import rejects_of, rows_of

from headwater.domain.errors import (
    HeadwaterError,
    SchemaDriftError,
    SourceDataError,
    SourceTableMissingError,
    SpecError,
)

HEADER = b"origin,time_hour,temp,n\n"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path)


def test_each_file_is_taken_once(landing: Landing) -> None:
    landing.land("a.csv", HEADER + b"EWR,2013-01-01T01:00:00Z,39.02,1\n")
    assert rows_of(landing.run(), "origin, temp, n, _hw_origin") == [
        ("EWR", Decimal("39.02"), 1, "landing:weather/a.csv")
    ]
    assert landing.plan().kind == "nothing"
    landing.land("b.csv", HEADER + b"JFK,2013-01-01T01:00:00Z,1,1\n")
    assert rows_of(landing.run(), "origin") == [("JFK",)]


def test_touched_file_is_not_new_and_replaced_file_is_refused(landing: Landing) -> None:
    path = landing.land("a.csv", HEADER)
    landing.run()
    os.utime(path, (1, 1))
    assert landing.plan().kind == "nothing"
    landing.land("a.csv", HEADER + b"EWR,2013-01-01T01:00:00Z,39.02,1\n")
    with pytest.raises(SourceDataError, match="other content") as caught:
        landing.plan()
    assert caught.value.facts["file"] == "weather/a.csv"


BROKEN = [
    (b"A,B", "field_count", '"A,B"'),
    (b"\xff\\,2013-01-01 02:00:00,,2", "invalid_utf8", json.dumps("\\xff\\\\,2013-01-01 02:00:00,,2")),
    (b"x\x00,2013-01-01 02:00:00,,2", "nul_byte", json.dumps("x\\x00,2013-01-01 02:00:00,,2")),
    (b'ab"c,2013-01-01 02:00:00,,2', "broken_quoting", json.dumps('ab"c,2013-01-01 02:00:00,,2')),
    (b'"abc,2013-01-01 02:00:00,,2', "broken_quoting", json.dumps('"abc,2013-01-01 02:00:00,,2')),
    (b",2013-01-01 02:00:00,,2", "null_key:origin", None),
    (b"x,2013-01-01 02:00:00,1.005,2", "untypable:temp", None),
    (b"x,2013-01-01 02:00:00,1000,2", "untypable:temp", None),
    (b"x,2013-01-01 02:00:00,,1.5", "untypable:n", None),
    (b"x,2013-01-01 02:00:00,,2147483648", "untypable:n", None),
    (b"x,2013-02-30 02:00:00,,2", "untypable:time_hour", None),
    (b"x,2013-01-01 02:00:00.0000001,,2", "untypable:time_hour", None),
]


def test_a_bad_line_costs_one_line_and_keeps_its_place(landing: Landing) -> None:
    good = b"EWR,2013-01-01 01:00:00,1.50,1\n"
    landing.land("a.csv", HEADER + b"".join(line + b"\n" + good for line, _, _ in BROKEN))
    extracted = landing.run(landing.table(max_quarantined_share=1))
    assert (extracted.rows, extracted.rejected) == (len(BROKEN), len(BROKEN))
    for place, (reject, (_, rule, payload)) in enumerate(zip(rejects_of(extracted), BROKEN, strict=True)):
        assert reject["_hw_rules"] == rule
        assert reject["_hw_origin"] == f"landing:weather/a.csv:{2 + 2 * place}"
        assert payload is None or reject["_hw_payload"] == payload


def test_quotes_line_breaks_bom_and_crlf_are_read(landing: Landing) -> None:
    landing.land(
        "a.csv", b"\xef\xbb\xbf" + HEADER.replace(b"\n", b"\r\n") + b'"a ""b"",\n\nc",2013-01-01 02:00,,-2\r\n'
    )
    extracted = landing.run()
    assert rows_of(extracted, "origin, temp, n") == [('a "b",\n\nc', None, -2)]


@pytest.mark.parametrize("content", [b"", HEADER, HEADER.rstrip()])
def test_file_without_rows_is_remembered(landing: Landing, content: bytes) -> None:
    landing.land("a.csv", content)
    extracted = landing.run()
    assert (extracted.files, extracted.rows) == ((), 0)
    assert landing.plan().kind == "nothing"


def test_columns_are_matched_by_name(landing: Landing) -> None:
    landing.land("a.csv", b"n,temp,origin,time_hour\n1,2.5,EWR,2013-01-01 01:00:00\n")
    assert rows_of(landing.run(), "origin, temp, n") == [("EWR", Decimal("2.50"), 1)]


@pytest.mark.parametrize(
    "header", [b"origin,time_hour,temp\n", HEADER.replace(b",n", b",n,m"), b"origin,time,temp,n\n"]
)
def test_header_other_than_declared_is_drift(landing: Landing, header: bytes) -> None:
    landing.land("a.csv", header)
    with pytest.raises(SchemaDriftError) as caught:
        landing.run()
    assert caught.value.facts["file"] == "weather/a.csv"
    assert caught.value.facts["column"] in {"n", "m", "time_hour"}


def test_too_many_bad_lines_stop(landing: Landing) -> None:
    landing.land("a.csv", HEADER + b"A,B\n" * 11)
    with pytest.raises(SourceDataError, match="11 of 11 rows"):
        landing.run()


def test_file_still_being_written_waits(landing: Landing) -> None:
    landing.land("a.csv", HEADER)
    table = landing.table(stable_for="1h")
    assert landing.plan(table).kind == "nothing"
    assert landing.plan(table, -timedelta(hours=2)).kind == "files"


@pytest.mark.parametrize("gone", [True, False])
def test_file_gone_or_changed_after_the_plan_is_refused(landing: Landing, gone: bool) -> None:
    path = landing.land("a.csv", HEADER)
    window = landing.plan()
    path.unlink() if gone else path.write_bytes(HEADER + b"x")
    with pytest.raises(SourceDataError, match="after the run was planned"):
        landing.extract(window)


@pytest.mark.parametrize("path", ["../evil", "weather/../../evil", "/etc/*.conf", "weather/link.csv"])
def test_path_out_of_the_folder_is_refused(landing: Landing, path: str) -> None:
    outside = landing.folder.parent / "outside.csv"
    outside.write_bytes(HEADER)
    (landing.folder / "weather" / "link.csv").symlink_to(outside)
    with pytest.raises(SpecError):
        landing.plan(landing.table(path))


def test_missing_folder_and_wrong_types_are_named(landing: Landing) -> None:
    with pytest.raises(SourceTableMissingError):
        landing.plan(landing.table("nowhere/*.csv"))
    with pytest.raises(HeadwaterError):
        landing.extractor.inspect(landing.table(columns={"origin": "string", "time_hour": "decimal(60,2)"}))
