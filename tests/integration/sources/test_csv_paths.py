"""A CSV file gives the same rows, rejects, positions and digest whether its blocks are typed at once or read with care,
and wherever they are cut (rules 26, 27, 40; row 28 of the faults)."""

from __future__ import annotations

import gzip
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.integration.sources.landing_under_test import Landing
from tests.integration.sources.sources_under_test import live_schema, rejects_of, rows_of

from headwater.adapters.duckdb.engine import writer
from headwater.adapters.sources.digest import content_digest
from headwater.adapters.sources.files import csv_blocks, lines
from headwater.adapters.sources.files.fast_csv import FastCsv
from headwater.adapters.sources.files.ledger import Ledger
from headwater.adapters.sources.files.typed_fields import TypedFields
from headwater.domain.errors import SchemaDriftError

COLUMNS = {
    "id": "int", "note": "string", "fare": "decimal(5,2)", "day": "date", "ratio": "double", "at": "timestamp",
    "seen": "timestamptz", "is_late": "boolean",
}  # fmt: skip
GOOD = {
    "id": ["1", "-7", "007", "2147483647"],
    "note": ["a", "", "é", "a b", '"a,b"', '"a ""b"""', '""', '"two\nlines"'],
    "fare": ["1.25", "-0.1", "999.99", "5.", ".5", "1.2500", ""],
    "day": ["2013-01-01", "0001-01-01", "9999-12-31", '"2012-02-29"', ""],
    "ratio": ["0.1", "-1e300", "5e-324", "1", ""],
    "at": ["2013-01-01 05:06:07", "2013-01-01T05:06", "2013-01-01 05:06:07.123456", ""],
    "seen": ["2013-01-01T05:06:07Z", "2013-01-01 05:06:07+02", "2013-01-01 05:06:07.5-0530", "2013-01-01 05:06:07", ""],
    "is_late": ["true", "F", "0", ""],
}
BAD = {
    "id": ["", "0x1f", "2147483648", " 1", "1.0", "+1", '"1"'],
    "note": ['a"b', '"open', '"x"y', "\0", "\udcff", " a", "a,b"],
    "fare": ["1e2", "1000", "1.005", "NaN", " 1", "+1"],
    "day": ["2013-02-30", "2013-1-1", "20130101", "0000-01-01", "2013-01-01 00:00"],
    "ratio": ["NaN", "inf", "1e999", "1e-999", "0x1p3", "1_0"],
    "at": ["2013-01-01", "2013-01-01 05", "2013-01-01 24:00", "2013-01-01 05:06:07.1234567", "2013-01-01 05:06Z"],
    "seen": ["2013-01-01 05+06:00", "2013-01-01 05:06Z", "2013-01-01 05:06:07 +02", "9999-12-31 23:59:59-05"],
    "is_late": ["yes", "T ", "2"],
}
GOOD_ROW = st.tuples(*(st.sampled_from(values) for values in GOOD.values())).map(",".join)
ODD_ROW = st.tuples(*(st.sampled_from(GOOD[name] + BAD[name]) for name in COLUMNS)).map(",".join)
ROW = st.one_of(GOOD_ROW, GOOD_ROW, GOOD_ROW, ODD_ROW, st.sampled_from(["", "\r", "1,2", ",,,,,,,,", '"']))
FILE = st.tuples(st.lists(ROW, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())


def _content(rows: list[str], end: str, marked: bool, ended: bool) -> bytes:
    text = end.join([",".join(COLUMNS), *rows]) + (end if ended else "")
    return (b"\xef\xbb\xbf" if marked else b"") + text.encode("utf-8", "surrogateescape")


def _nothing(*_: object) -> None:
    """What a fast path answers that leaves all to the next one."""


def _all_of(files: dict[str, bytes], settings_of: dict[tuple[Any, str], Any]) -> tuple[object, ...]:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        for (owner, name), value in settings_of.items():
            patched.setattr(owner, name, value)
        landing = Landing(Path(folder))
        for name, content in files.items():
            landing.land(name, content)
        table = landing.table("weather/*", columns=COLUMNS, max_quarantined_share=1)
        extracted = landing.run(table)
        with writer() as engine:
            schema = live_schema(landing.extractor.inspect(table))
            digest = content_digest(engine, schema, extracted.files, extracted.rejects)
        taken = [(file.path, file.rows, file.rejected) for file in Ledger.parse(landing.ledger).files]
        return rows_of(extracted, "*"), rejects_of(extracted), digest, taken, extracted.rows


STRICTLY = {(FastCsv, "columns"): _nothing}
IN_SMALL_BLOCKS = {(lines, "CSV_BLOCK_BYTES"): 150}
IN_PIECES = {(csv_blocks, "PIECE_BYTES"): 70}
OTHER_WAYS: tuple[dict[tuple[Any, str], Any], ...] = (
    {},
    IN_PIECES,
    IN_SMALL_BLOCKS | IN_PIECES,
    IN_SMALL_BLOCKS | {(TypedFields, "columns"): _nothing},
)


@settings(max_examples=15, deadline=None)
@given(st.lists(FILE, min_size=1, max_size=2), st.sampled_from(OTHER_WAYS))
def test_every_way_of_reading_gives_the_same(files: list[Any], way: dict[tuple[Any, str], Any]) -> None:
    landed = {f"{place}.csv": _content(*file) for place, file in enumerate(files)}
    landed["z.csv.gz"] = gzip.compress(landed["0.csv"])
    assert _all_of(landed, way) == _all_of(landed, STRICTLY)


def test_usual_files_are_typed_at_once(tmp_path: Path) -> None:
    """Nothing but what is typed by Arrow would give rows when no text is left to be judged."""
    landing = Landing(tmp_path)
    rows = [",".join(values[0] for values in GOOD.values())] * 50
    landing.land("a.csv", _content(rows, "\r\n", marked=True, ended=True))
    extracted = landing.run(landing.table("weather/*", columns=COLUMNS))
    assert [Path(file.path).name for file in extracted.files] == ["a1-weather-typed-0.parquet"]
    assert extracted.rows == 50


def test_a_bad_record_costs_its_own_block_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "CSV_BLOCK_BYTES", 200)
    landing = Landing(tmp_path)
    landing.land("a.csv", b"id,note\n" + b"1,a\n" * 300 + b"x,a\n" + b"1,a\n" * 300)
    extracted = landing.run(landing.table(columns={"id": "int", "note": "string"}))
    typed, judged = sorted(extracted.files, key=lambda file: file.rows, reverse=True)
    assert typed.rows + judged.rows == 600
    assert judged.rows < 60
    [reject] = rejects_of(extracted)
    assert (reject["_hw_origin"], reject["_hw_position"][-12:]) == ("landing:weather/a.csv:302", "000000000301")


def test_nothing_is_left_of_a_read_that_fails_behind_typed_rows(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    landing.land("a.csv", b"id,note\n" + b"1,a\n" * 300)
    landing.land("b.csv", b"id\n1\n")
    with pytest.raises(SchemaDriftError):
        landing.run(landing.table(columns={"id": "int", "note": "string"}))
    assert not landing.out.exists() or not list(landing.out.iterdir())
