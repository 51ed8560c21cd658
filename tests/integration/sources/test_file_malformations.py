"""What is wrong with one record costs that record, with its bytes and place; a file of which nobody can tell what it
lacks stops its table; and nothing is taken half (rows 19, 28 of the faults)."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.integration.sources.landing_under_test import Landing
from tests.integration.sources.sources_under_test import rejects_of, rows_of

from headwater.domain.errors import SchemaDriftError, SourceDataError

COLUMNS = {"id": "int", "note": "string", "fare": "decimal(5,2)", "day": "date", "ratio": "double"}
GOOD = {"id": 1, "note": "a", "fare": 1.25, "day": "2013-01-01", "ratio": 0.5}
GOOD_CSV = b"1,a,1.25,2013-01-01,0.5\n"
GOOD_JSON = json.dumps(GOOD).encode()
HEADER = b"id,note,fare,day,ratio\n"
TAKEN = (1, "a", Decimal("1.25"), date(2013, 1, 1), 0.5)


@dataclass(frozen=True)
class Reject:
    """The record is set aside: the broken rule, and what of its bytes the payload has to hold."""

    rule: str
    holds: str


@dataclass(frozen=True)
class Stop:
    """The whole file is refused."""

    error: type[Exception]
    words: str


@dataclass(frozen=True)
class Case:
    content: bytes
    outcome: Reject | Stop


def _line(line: bytes) -> bytes:
    return HEADER + GOOD_CSV + line + b"\n" + GOOD_CSV


def _objects(text: bytes) -> bytes:
    return b"\n".join((GOOD_JSON, text, GOOD_JSON))


def _array(text: bytes) -> bytes:
    return b"[" + b",\n".join((GOOD_JSON, text, GOOD_JSON)) + b"]"


def _but(**changes: str) -> bytes:
    """A record of JSON with values as they are written."""
    texts = {name: json.dumps(value) for name, value in GOOD.items()} | changes
    return ("{" + ", ".join(f'"{name}": {text}' for name, text in texts.items()) + "}").encode()


CSV = {
    "bad UTF-8": Case(_line(b"2,\xff\xfe,1,2013-01-01,1"), Reject("invalid_utf8", "2,\\xff\\xfe,1,2013-01-01,1")),
    "NUL": Case(_line(b"2,a\0b,1,2013-01-01,1"), Reject("nul_byte", "a\\x00b")),
    "quote inside a field": Case(_line(b'2,a"b,1,2013-01-01,1'), Reject("broken_quoting", 'a"b')),
    "quote not closed": Case(_line(b'2,"ab,1,2013-01-01,1'), Reject("broken_quoting", '"ab')),
    "too few fields": Case(_line(b"2,a,1"), Reject("field_count", "2,a,1")),
    "too many fields": Case(_line(b"2,a,1,2013-01-01,1,x"), Reject("field_count", "1,x")),
    "NaN": Case(_line(b"2,a,1,2013-01-01,NaN"), Reject("untypable:ratio", "NaN")),
    "infinity": Case(_line(b"2,a,1,2013-01-01,1e999"), Reject("untypable:ratio", "1e999")),
    "integer overflow": Case(_line(b"2147483648,a,1,2013-01-01,1"), Reject("untypable:id", "2147483648")),
    "decimal overflow": Case(_line(b"2,a,1000,2013-01-01,1"), Reject("untypable:fare", "1000")),
    "decimal too fine": Case(_line(b"2,a,1.005,2013-01-01,1"), Reject("untypable:fare", "1.005")),
    "impossible date": Case(_line(b"2,a,1,2013-02-30,1"), Reject("untypable:day", "2013-02-30")),
    "null key": Case(_line(b",a,1,2013-01-01,1"), Reject("null_key:id", "2013-01-01")),
    "column twice": Case(b"id,id,fare,day,ratio\n", Stop(SchemaDriftError, "columns twice")),
    "no header": Case(GOOD_CSV, Stop(SchemaDriftError, "missing id")),
    "lines that end in CR": Case(
        _line(b"2,a,1,2013-01-01,1").replace(b"\n", b"\r"), Stop(SourceDataError, "in CR alone")
    ),
    "record too long": Case(_line(b"2," + b"x" * 70_000 + b",1,2013-01-01,1"), Stop(SourceDataError, "too long")),
}
RECORDS: dict[str, tuple[bytes, Reject | Stop]] = {
    "bad UTF-8": (b'{"id": 2, "note": "\xff"}', Reject("invalid_utf8", "\\xff")),
    "NUL": (b'{"id": 2, "note": "\0"}', Reject("nul_byte", "\\x00")),
    "escaped NUL": (_but(id="2", note=r'"\u0000"'), Reject("invalid_unicode", r"\u0000")),
    "half a character": (_but(id="2", note=r'"\ud800"'), Reject("invalid_unicode", r"\ud800")),
    "broken quoting": (b'{"id": 2, "note": \'a\'}', Reject("broken_json", "'a'")),
    "trailing comma": (b'{"id": 2, "note": "a",}', Reject("broken_json", '"a",}')),
    "key twice": (b'{"id": 2, "id": 3}', Reject("duplicate_key", '"id": 3')),
    "NaN": (_but(id="2", ratio="NaN"), Reject("broken_json", "NaN")),
    "infinity": (_but(id="2", ratio="1e999"), Reject("untypable:ratio", "1e999")),
    "integer overflow": (_but(id="2147483648"), Reject("untypable:id", "2147483648")),
    "integer with a fraction": (_but(id="2.5"), Reject("untypable:id", "2.5")),
    "decimal overflow": (_but(id="2", fare="1000"), Reject("untypable:fare", "1000")),
    "impossible date": (_but(id="2", day='"2013-02-30"'), Reject("untypable:day", "2013-02-30")),
    "object for a number": (_but(id="2", fare='{"a": 1}'), Reject("untypable:fare", '{"a": 1}')),
    "null key": (_but(id="null"), Reject("null_key:id", '"id": null')),
    "no object": (b"17", Reject("no_object", "17")),
    "nested too deep": (b'{"id": 2, "note": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", Reject("too_deep", "[[[[")),
    "nested deeper than some callers could": (_but(id="2", note="[" * 300 + "]" * 300), Reject("too_deep", "[[[[")),
    "undeclared field": (_but(id="2", more="1"), Stop(SchemaDriftError, "not declared: more")),
    "record too long": (_but(id="2", note='"' + "x" * 70_000 + '"'), Stop(SourceDataError, "too long")),
}
JSON_LINES = {name: Case(_objects(text), outcome) for name, (text, outcome) in RECORDS.items()}
JSON_LINES["truncated"] = Case(_objects(GOOD_JSON) + b'\n{"id": 2, "no', Reject("broken_json", '{"id": 2, "no'))
JSON_LINES["field that is nowhere"] = Case(b'{"id": 1, "note": "a"}', Stop(SchemaDriftError, "missing fare"))
JSON = {name: Case(_array(text), outcome) for name, (text, outcome) in RECORDS.items()} | {
    "empty element": Case(_array(b""), Reject("broken_json", "")),
    "truncated": Case(_array(GOOD_JSON)[:-20], Stop(SourceDataError, "ends before its closing")),
    "no array": Case(GOOD_JSON, Stop(SourceDataError, "does not begin with")),
    "more behind the array": Case(_array(GOOD_JSON) + b"[]", Stop(SourceDataError, "goes on after")),
    "zero bytes": Case(b"", Stop(SourceDataError, "does not begin with")),
}


def _parquet(**changes: Any) -> bytes:
    rows: dict[str, Any] = {
        "id": pa.array([1, 2, 1], pa.int32()),
        "note": ["a"] * 3,
        "fare": pa.array([Decimal("1.25")] * 3, pa.decimal128(8, 3)),
        "day": pa.array([date(2013, 1, 1)] * 3),
        "ratio": [0.5] * 3,
    }
    rows |= {name: value for name, value in changes.items() if value is not None}
    content = io.BytesIO()
    pq.write_table(pa.table({name: rows[name] for name in rows if name not in changes or changes[name] is not None}),
                   content)  # fmt: skip
    return content.getvalue()


def _middle(good: Any, bad: Any, kind: Any) -> pa.Array:
    return pa.array([good, bad, good], kind)


def _damaged() -> bytes:
    content = bytearray(_parquet(note=["x" * 5_000] * 3))
    content[20:60] = b"\xff" * 40
    return bytes(content)


PARQUET = {
    "zero bytes": Case(b"", Stop(SourceDataError, "no Parquet file")),
    "other bytes": Case(b"PAR1" + b"x" * 100, Stop(SourceDataError, "no Parquet file")),
    "truncated": Case(_parquet()[:-50], Stop(SourceDataError, "no Parquet file")),
    "damaged page": Case(_damaged(), Stop(SourceDataError, "no Parquet file")),
    "column gone": Case(_parquet(fare=None), Stop(SchemaDriftError, "missing fare")),
    "column new": Case(_parquet(more=[1, 2, 3]), Stop(SchemaDriftError, "not declared more")),
    "column of another type": Case(_parquet(note=[1.5] * 3), Stop(SchemaDriftError, "does not fit string")),
    "text for a number": Case(_parquet(id=["1", "2", "1"]), Stop(SchemaDriftError, "does not fit int")),
    "double for an integer": Case(_parquet(id=[1.0, 2.0, 1.0]), Stop(SchemaDriftError, "does not fit int")),
    "NaN": Case(_parquet(ratio=[0.5, float("nan"), 0.5]), Reject("untypable:ratio", "nan")),
    "infinity": Case(_parquet(ratio=[0.5, float("inf"), 0.5]), Reject("untypable:ratio", "inf")),
    "integer overflow": Case(_parquet(id=_middle(1, 1 << 40, pa.int64())), Reject("untypable:id", "1099511627776")),
    "decimal overflow": Case(
        _parquet(fare=_middle(Decimal("1.25"), Decimal(5000), pa.decimal128(8, 3))), Reject("untypable:fare", "5000")
    ),
    "decimal too fine": Case(
        _parquet(fare=_middle(Decimal("1.25"), Decimal("1.255"), pa.decimal128(8, 3))),
        Reject("untypable:fare", "1.255"),
    ),
    "date beyond the calendar": Case(
        _parquet(day=_middle(15706, 4_000_000, pa.int32()).cast(pa.date32())), Reject("untypable:day", "12921")
    ),
    "null key": Case(_parquet(id=_middle(1, None, pa.int32())), Reject("null_key:id", "null")),
}


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content)


def _zip(name: str, content: bytes = HEADER, **attributes: Any) -> bytes:
    target, member = io.BytesIO(), zipfile.ZipInfo(name)
    for key, value in attributes.items():
        setattr(member, key, value)
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(member, content)
    return target.getvalue()


def _encrypted() -> bytes:
    content = bytearray(_zip("a.csv"))
    content[content.index(b"PK\x03\x04") + 6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


PACKED = {
    "no gzip.csv.gz": Case(HEADER, Stop(SourceDataError, "is damaged")),
    "zero bytes.csv.gz": Case(b"", Stop(SourceDataError, "is no gzip file")),
    "truncated.csv.gz": Case(_gzip(_line(GOOD_CSV))[:-9], Stop(SourceDataError, "is damaged")),
    "followed by others.csv.gz": Case(_gzip(HEADER) + b"more", Stop(SourceDataError, "is damaged")),
    "bomb.csv.gz": Case(_gzip(HEADER + GOOD_CSV * 4_000_000), Stop(SourceDataError, "grows too much")),
    "no zstd.csv.zst": Case(HEADER, Stop(SourceDataError, "is damaged")),
    "truncated.csv.zst": Case(
        bytes(pa.Codec("zstd").compress(_line(GOOD_CSV), asbytes=True))[:-5], Stop(SourceDataError, "is damaged")
    ),
    "no zip.csv.zip": Case(HEADER, Stop(SourceDataError, "is no zip archive")),
    "path upwards.csv.zip": Case(_zip("../a.csv"), Stop(SourceDataError, "a path that escapes")),
    "path from the root.csv.zip": Case(_zip("/etc/a.csv"), Stop(SourceDataError, "a path that escapes")),
    "path of a drive.csv.zip": Case(_zip("C:\\a.csv"), Stop(SourceDataError, "a path that escapes")),
    "link.csv.zip": Case(_zip("a.csv", external_attr=0o120777 << 16), Stop(SourceDataError, "a path that escapes")),
    "archive within.csv.zip": Case(_zip("a.zip"), Stop(SourceDataError, "holds an archive")),
    "nothing within.csv.zip": Case(b"PK\x05\x06" + bytes(18), Stop(SourceDataError, "holds no data file")),
    "hidden files within.csv.zip": Case(_zip("__MACOSX/a.csv"), Stop(SourceDataError, "holds no data file")),
    "encrypted.csv.zip": Case(_encrypted(), Stop(SourceDataError, "is encrypted")),
    "checksum.csv.zip": Case(_zip("a.csv").replace(b"fare", b"fire", 1), Stop(SourceDataError, "is damaged")),
}


def judged(landing: Landing, name: str, case: Case, **extract: Any) -> None:
    """Hold a file to what its case says."""
    landing.land(name, case.content)
    table = landing.table(columns=COLUMNS, max_quarantined_share=1, max_record_bytes=65_536, **extract)
    if isinstance(case.outcome, Stop):
        with pytest.raises(case.outcome.error, match=case.outcome.words) as caught:
            landing.run(table)
        assert getattr(caught.value, "facts", {})["file"] == f"weather/{name}"
        assert landing.ledger is None
        return
    extracted = landing.run(table)
    taken = rows_of(extracted, ", ".join(COLUMNS))
    assert set(taken) == {TAKEN}
    assert len(taken) >= 2
    [reject] = rejects_of(extracted)
    assert reject["_hw_rules"] == case.outcome.rule
    payload = reject["_hw_payload"]
    assert case.outcome.holds in (json.loads(payload) if payload.startswith('"') else payload)
    place = {"csv": 3}.get(name.rpartition(".")[2], 2 if name != "truncated.jsonl" else 4)
    assert reject["_hw_origin"] == f"landing:weather/{name}:{place}"
    assert reject["_hw_reason"]
    assert landing.plan(table).kind == "nothing"


FORMATS: dict[str, dict[str, Case]] = {"csv": CSV, "jsonl": JSON_LINES, "json": JSON, "parquet": PARQUET}
CASES = [(kind, name) for kind, cases in FORMATS.items() for name in cases]


def test_every_format_has_a_dozen() -> None:
    assert min(len(cases) for cases in FORMATS.values()) >= 12


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[f"{kind}: {name}" for kind, name in CASES])
def test_malformed(tmp_path: Path, kind: str, name: str) -> None:
    landing, case = Landing(tmp_path), FORMATS[kind][name]
    if kind == "parquet":
        judged_parquet(landing, case)
        return
    judged(landing, f"{name}.{kind}", case, format=kind)


def judged_parquet(landing: Landing, case: Case) -> None:
    landing.land("a.parquet", case.content)
    table = landing.table(columns=COLUMNS, max_quarantined_share=1, format="parquet")
    if isinstance(case.outcome, Stop):
        with pytest.raises(case.outcome.error, match=case.outcome.words):
            landing.run(table)
        return
    extracted = landing.run(table)
    assert rows_of(extracted, ", ".join(COLUMNS)) == [TAKEN, TAKEN]
    [reject] = rejects_of(extracted)
    assert (reject["_hw_rules"], reject["_hw_origin"]) == (case.outcome.rule, "landing:weather/a.parquet:2")
    assert case.outcome.holds in reject["_hw_payload"]


@pytest.mark.parametrize("name", PACKED)
def test_malformed_archive(tmp_path: Path, name: str) -> None:
    judged(Landing(tmp_path), name, PACKED[name])


READ: dict[str, Callable[[], bytes]] = {
    "mark.csv": lambda: b"\xef\xbb\xbf" + HEADER + GOOD_CSV,
    "mark.jsonl": lambda: b"\xef\xbb\xbf" + GOOD_JSON,
    "mark.json": lambda: b"\xef\xbb\xbf" + _array(GOOD_JSON),
    "two streams.csv.gz": lambda: _gzip(HEADER) + _gzip(GOOD_CSV),
    "blank lines.jsonl": lambda: b"\n\n" + GOOD_JSON + b"\r\n\n",
}


@pytest.mark.parametrize("name", READ)
def test_what_only_looks_broken_is_read(tmp_path: Path, name: str) -> None:
    landing = Landing(tmp_path)
    landing.land(name, READ[name]())
    kind = name.partition(".")[2].partition(".")[0]
    extracted = landing.run(landing.table(columns=COLUMNS, format=kind))
    assert set(rows_of(extracted, ", ".join(COLUMNS))) == {TAKEN}
    assert extracted.rejected == 0
