"""Files of every make give the same rows."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.integration.sources.landing_under_test import AB, Landing, rows
from tests.integration.sources.sources_under_test import rejects_of

from headwater.domain.errors import SourceDataError


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path)


DIALECTS: list[tuple[bytes, dict[str, Any]]] = [
    (b"a;b\n1;x, y\n", {"delimiter": ";"}),
    (b"a\tb\r\n1\tx, y\r\n", {"delimiter": "\t"}),
    (b"a,b\n1,'x, y'\n", {"quote": "'"}),
    (b"a,b\n1,x\\, y\n", {"escape": "\\"}),
    (b'a,b\n1,"x, y"\n', {"escape": "\\"}),
    (b"1|x, y", {"delimiter": "|", "header": False}),
    (b'a|b\n1|"x, y"\n'.replace(b'"', b""), {"delimiter": "|", "quote": ""}),
    ("a,b\n1,'x, y'\n".encode("utf-16"), {"encoding": "utf-16", "quote": "'"}),
    (b"\xfe\xff" + 'a,b\n1,"x, y"'.encode("utf-16-be"), {"encoding": "utf-16"}),
]


@pytest.mark.parametrize(("content", "dialect"), DIALECTS, ids=[str(dialect) for _, dialect in DIALECTS])
def test_dialects_of_csv(landing: Landing, content: bytes, dialect: dict[str, Any]) -> None:
    landing.land("a.csv", content)
    assert rows(landing, **dialect) == [(1, "x, y")]


@pytest.mark.parametrize(
    ("encoding", "text"), [("utf-8", "é€😀"), ("utf-16", "é€😀"), ("latin-1", "é\x80"), ("cp1252", "é€")]
)
@pytest.mark.parametrize("kind", ["csv", "jsonl", "json"])
def test_encodings(landing: Landing, encoding: str, text: str, kind: str) -> None:
    texts = {"csv": f"a,b\n1,{text}\n", "jsonl": f'{{"a":1,"b":"{text}"}}', "json": f'[{{"a":1,"b":"{text}"}}]'}
    landing.land(f"a.{kind}", texts[kind].encode(encoding))
    assert rows(landing, encoding=encoding, format=kind) == [(1, text)]


def test_bytes_an_encoding_does_not_know_are_kept(landing: Landing) -> None:
    landing.land("a.csv", b"a,b\n1,\x81\n2,x\n")
    extracted = landing.run(landing.table(columns=AB, encoding="cp1252"))
    [reject] = rejects_of(extracted)
    assert (reject["_hw_rules"], json.loads(reject["_hw_payload"])) == ("invalid_encoding", "1,\\x81")


def test_utf_16_without_a_mark_is_refused_and_its_odd_byte_is_set_aside(landing: Landing) -> None:
    path = landing.land("a.csv", "a,b\n1,x\n".encode("utf-16-le"))
    with pytest.raises(SourceDataError, match="which byte comes first"):
        rows(landing, encoding="utf-16")
    path.write_bytes("a,b\n1,x\n2,".encode("utf-16") + b"y")
    extracted = landing.run(landing.table(columns=AB, encoding="utf-16"))
    assert (extracted.rows, [r["_hw_rules"] for r in rejects_of(extracted)]) == (1, ["invalid_encoding"])


def test_quoted_null_text_is_a_text_in_fast_and_in_strict_reading(landing: Landing) -> None:
    landing.land("a.csv", b'a,b\n1,NA\n2,"NA"\n3,""\n')
    landing.land("b.csv", b'a,b\n1,NA\n2,"NA"\n3,"a\nb"\n')
    assert rows(landing, null="NA") == [(1, None), (2, "NA"), (3, ""), (1, None), (2, "NA"), (3, "a\nb")]


def test_values_of_every_type_are_exact_in_every_format(landing: Landing) -> None:
    columns = {
        "id": "long", "ok": "boolean", "small": "int", "ratio": "double", "fare": "decimal(38,10)", "day": "date",
        "at": "timestamp", "zoned": "timestamptz", "note": "string", "u": "uuid",
    }  # fmt: skip
    texts = ["9223372036854775807", "true", "-1", "0.1", "1234567890123456789012345678.0123456789", "2012-02-29",
             "2013-01-01 00:00:00.000001", "2013-01-01 01:30:00+01:30", "ä",
             "6ba7b810-9dad-11d1-80b4-00c04fd430c8"]  # fmt: skip
    plain = {"id", "ok", "small", "ratio", "fare"}
    record = ",".join(
        f'"{name}":{text if name in plain else json.dumps(text)}' for name, text in zip(columns, texts, strict=True)
    )
    landing.land("a.csv", f"{','.join(columns)}\n{','.join(texts)}\n".encode())
    landing.land("a.jsonl", f"{{{record}}}".encode())
    landing.land("a.json", f"[{{{record}}}]".encode())
    found = {}
    for kind in ("csv", "jsonl", "json"):
        landing.ledger = None
        [found[kind]] = rows(landing, columns=columns, format=kind)
    assert found["csv"] == found["jsonl"] == found["json"]
    assert found["csv"][4] == Decimal(texts[4])
    assert [str(value) for value in found["csv"][5:8]] == [
        "2012-02-29",
        "2013-01-01 00:00:00.000001",
        "2013-01-01 00:00:00+00:00",
    ]


def test_parquet_types_are_carried_exactly(landing: Landing) -> None:
    content = pa.table(
        {
            "tiny": pa.array([-1], pa.int8()),
            "wide": pa.array([2**64 - 1], pa.uint64()),
            "single": pa.array([0.1], pa.float32()),
            "widened": pa.array([0.1], pa.float32()),
            "raw": pa.array([b"\0\xff"], pa.binary()),
            "at": pa.array([1_356_998_400_000_000_000], pa.timestamp("ns")),
            "zoned": pa.array([1_356_998_400_000], pa.timestamp("ms", "Europe/Berlin")),
            "many": pa.array([[{"a": 1}]]),
        }
    )
    pq.write_table(content, landing.land("a.parquet", b""))
    columns = {
        "tiny": "int", "wide": "decimal(20,0)", "single": "float", "widened": "double", "raw": "binary",
        "at": "timestamp", "zoned": "timestamptz", "many": "string",
    }  # fmt: skip
    [row] = rows(landing, columns=columns, format="parquet")
    single = pa.scalar(0.1, pa.float32()).as_py()
    assert row[:5] == (-1, Decimal(2**64 - 1), single, single, b"\0\xff")
    assert (str(row[5]), str(row[6]), row[7]) == ("2013-01-01 00:00:00", "2013-01-01 00:00:00+00:00", '[{"a":1}]')


def test_nanoseconds_of_parquet_are_not_cut_off(landing: Landing) -> None:
    content = pa.table({"a": pa.array([1, 2], pa.int32()), "at": pa.array([1_000, 1_001], pa.timestamp("ns"))})
    pq.write_table(content, landing.land("a.parquet", b""))
    extracted = landing.run(landing.table(columns={"a": "int", "at": "timestamp"}, format="parquet"))
    assert (extracted.rows, [r["_hw_rules"] for r in rejects_of(extracted)]) == (1, ["untypable:at"])


UTC_NS = pa.timestamp("ns", "UTC")


@pytest.mark.parametrize(
    ("kind", "declared", "of_96_bits"),
    [
        (UTC_NS, "timestamptz", False),
        (pa.timestamp("ns"), "timestamp", True),
        (pa.time64("ns"), "string", False),
        (pa.list_(UTC_NS), "string", False),
        (pa.map_(pa.string(), pa.struct([("at", UTC_NS)])), "string", False),
    ],
    ids=str,
)
def test_nanoseconds_that_no_text_would_tell_refuse_the_file(
    landing: Landing, kind: pa.DataType, declared: str, of_96_bits: bool
) -> None:
    """DuckDB reads these as microseconds: rule 30 forbids to cut them, and it would be cut in silence."""

    def land(name: str, nanoseconds: int) -> None:
        leaf = pa.array([nanoseconds, None]).cast(_leaf(kind))
        values = _wrapped(leaf, kind)
        content = pa.table({"a": pa.array([1, 2], pa.int32()), "at": values})
        pq.write_table(content, landing.land(name, b""), use_deprecated_int96_timestamps=of_96_bits)

    table = landing.table(columns={"a": "int", "at": declared}, format="parquet")
    land("whole.parquet", 1_000)
    assert landing.run(table).rows == 2
    land("with a rest.parquet", 1_001)
    with pytest.raises(SourceDataError, match="nanoseconds in column 'at'"):
        landing.run(table)


def _leaf(kind: pa.DataType) -> pa.DataType:
    return _leaf(kind.field(kind.num_fields - 1).type) if kind.num_fields else kind


def _wrapped(leaf: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_map(kind):
        return pa.array([[("k", {"at": value})] for value in leaf], kind)
    return pa.array([[value] for value in leaf], kind) if pa.types.is_list(kind) else leaf


def test_times_of_96_bits_reach_farther_than_nanoseconds(landing: Landing) -> None:
    """Spark's files have 9999-12-31 for no end; a number of nanoseconds ends in 2262."""
    far = [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999)]
    content = pa.table({"a": pa.array([1, 2], pa.int32()), "at": pa.array(far, pa.timestamp("us"))})
    pq.write_table(content, landing.land("a.parquet", b""), use_deprecated_int96_timestamps=True)
    assert rows(landing, columns={"a": "int", "at": "timestamp"}, format="parquet") == [(1, far[0]), (2, far[1])]


@pytest.mark.parametrize("declared", ["string", "timestamptz", "binary", "boolean"])
def test_a_column_of_parquet_without_a_value_has_no_type_to_refuse(landing: Landing, declared: str) -> None:
    pq.write_table(pa.table({"a": pa.array([1], pa.int32()), "b": pa.nulls(1)}), landing.land("a.parquet", b""))
    assert rows(landing, columns={"a": "int", "b": declared}, format="parquet") == [(1, None)]
