"""Files of every make give the same rows; which are complete, and which were replaced, is declared (rule 29)."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.integration.sources.landing_under_test import Landing
from tests.integration.sources.sources_under_test import rejects_of, rows_of

from headwater.domain.errors import SchemaDriftError, SourceDataError
from headwater.domain.run import Window

AB = {"a": "int", "b": "string"}


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path)


def rows(landing: Landing, **extract: Any) -> list[Any]:
    return rows_of(
        landing.run(landing.table(**({"columns": AB} | extract))), "COLUMNS(c -> NOT starts_with(c, '_hw_'))"
    )


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


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_partitions_of_the_path_are_columns(landing: Landing, kind: str) -> None:
    for month in ("01", "02"):
        path = landing.land(f"year=2013/month={month}/part.{kind}", b"a\n1\n" if kind == "csv" else b'{"a":1}')
        if kind == "parquet":
            pq.write_table(pa.table({"a": [1]}), path)
    landing.land(f"year=__HIVE_DEFAULT_PARTITION__/month=a%20b/part.{kind}", (path.read_bytes()))
    columns = {"year": "int", "a": "int", "month": "string"}
    found = rows(landing, columns=columns, partitions=["year", "month"], format=kind, key=("a",))
    assert found == [(2013, 1, "01"), (2013, 1, "02"), (None, 1, "a b")]


def test_a_file_outside_its_partitions_is_refused(landing: Landing) -> None:
    landing.land("part.csv", b"a\n1\n")
    with pytest.raises(SourceDataError, match="partitions in its path"):
        rows(landing, columns={"a": "int", "year": "int"}, partitions=["year"])


def test_fields_beyond_and_short_of_the_declared_ones(landing: Landing) -> None:
    landing.land("a.jsonl", b'{"a":1,"c":2}\n{"a":2,"b":"x"}')
    landing.land("b.csv", b"a,c\n1,2\n")
    table: dict[str, Any] = {"format": "jsonl", "max_quarantined_share": 1}
    with pytest.raises(SchemaDriftError):
        rows(landing, **table)
    extracted = landing.run(landing.table(columns=AB, undeclared_fields="quarantine", **table))
    assert [r["_hw_rules"] for r in rejects_of(extracted)] == ["undeclared_field"]
    landing.ledger = None
    assert rows(landing, undeclared_fields="ignore", **table) == [(1, None), (2, "x")]
    with pytest.raises(SchemaDriftError, match="missing b"):
        rows(landing, undeclared_fields="ignore")
    assert rows(landing, undeclared_fields="ignore", missing_fields="null") == [(1, None)]


GLOBS = [
    ("weather", ["a.csv", "b.CSV", "c.csv.gz"]),
    ("weather/*.csv", ["a.csv"]),
    ("weather/[!b]*.csv*", ["a.csv", "c.csv.gz"]),
    ("weather/**/*.csv", ["a.csv", "x/d.csv", "x/y/e.csv"]),
    ("weather/?/*", ["x/d.csv"]),
    ("weather/x/d.csv", ["x/d.csv"]),
]


@pytest.mark.parametrize(("path", "expected"), GLOBS)
def test_globs(landing: Landing, path: str, expected: list[str]) -> None:
    """Hidden files and the scratch folders of writers are no files of the table."""
    hidden = (".hidden.csv", "_temporary/0/part.csv", "x/.a.csv", "notes.md")
    for name in ("a.csv", "b.CSV", "c.csv.gz", "x/d.csv", "x/y/e.csv", *hidden):
        landing.land(name, b"a,b\n")
    window = landing.plan(landing.table(path, columns=AB))
    assert [json.loads(item)["path"] for item in window.items] == [f"weather/{name}" for name in expected]


def test_a_file_waits_for_its_marker(landing: Landing) -> None:
    table = landing.table(marker="{stem}.done", columns=AB)
    landing.land("a.csv", b"a,b\n")
    landing.land("b.csv", b"a,b\n")
    landing.land("b.done", b"")
    window = landing.plan(table)
    assert [json.loads(item)["path"] for item in window.items] == ["weather/b.csv"]
    assert "1 files have no marker" in window.note


def listed(landing: Landing, **entry: Any) -> Window:
    landing.land("of-today.manifest.json", json.dumps({"files": [{"path": "a.csv"} | entry, "b.csv"]}).encode())
    return landing.plan(landing.table(manifest="weather/*.manifest.json", columns=AB))


def test_only_what_a_manifest_lists_whole_is_read(landing: Landing) -> None:
    content = b"a,b\n1,x\n"
    landing.land("a.csv", content)
    landing.land("unlisted.csv", content)
    assert listed(landing, size=len(content) + 1).kind == "nothing"
    window = listed(landing, size=len(content), sha256=sha256(content).hexdigest(), rows=1)
    assert [json.loads(item)["path"] for item in window.items] == ["weather/a.csv"]
    assert "1 files of a manifest are not there" in window.note
    assert landing.extract(window, landing.table(columns=AB)).rows == 1


@pytest.mark.parametrize(
    ("entry", "words"), [({"sha256": "0" * 64}, "other bytes than its manifest"), ({"rows": 2}, "number of records")]
)
def test_what_a_manifest_says_is_held_against_the_file(landing: Landing, entry: dict[str, Any], words: str) -> None:
    landing.land("a.csv", b"a,b\n1,x\n")
    with pytest.raises(SourceDataError, match=words):
        landing.extract(listed(landing, **entry), landing.table(columns=AB))


@pytest.mark.parametrize("text", [b"", b"[]", b'{"files": [{"pth": "a.csv"}]}', b'{"files": [{"path": "../../x"}]}'])
def test_a_manifest_that_is_none_stops(landing: Landing, text: bytes) -> None:
    landing.land("a.manifest.json", text)
    with pytest.raises(Exception, match=r"is no manifest|leads out of the folder"):
        landing.plan(landing.table(manifest="weather/*.manifest.json", columns=AB))


def test_replaced_files_by_policy(landing: Landing) -> None:
    path = landing.land("a.csv", b"a,b\n1,x\n")
    landing.run(landing.table(columns=AB))
    path.write_bytes(b"a,b\n2,yy\n")
    with pytest.raises(SourceDataError, match="other content"):
        landing.plan(landing.table(columns=AB))
    assert landing.plan(landing.table(columns=AB, replaced="ignore")).kind == "nothing"
    assert rows(landing, replaced="read_again") == [(2, "yy")]
    assert landing.plan(landing.table(columns=AB, replaced="read_again")).kind == "nothing"


def test_more_files_than_a_run_takes_wait_for_the_next(landing: Landing) -> None:
    for number in range(3):
        landing.land(f"{number}.csv", f"a,b\n{number},x\n".encode())
    table = landing.table(columns=AB, max_files=2)
    assert landing.plan(table).note == "1 files wait for the next run"
    assert [landing.run(table).rows for _ in range(3)] == [2, 1, 0]


HOSTILE = [
    "new\nline.csv",
    "quo\"te's.csv",
    "`$(x)`.csv",
    "\u202ereversed.csv",
    "x" * 250 + ".csv",
    "a!b.csv",
    "[a]*.csv",
    " .csv",
]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_are_read_and_remembered(landing: Landing, name: str) -> None:
    landing.land(name, b"a,b\n1,x\n\n,y\n")
    extracted = landing.run(landing.table(columns=AB))
    assert rows_of(extracted, "a, _hw_origin") == [(1, f"landing:weather/{name}")]
    assert [reject["_hw_origin"] for reject in rejects_of(extracted)] == [f"landing:weather/{name}:4"]
    assert landing.plan(landing.table(columns=AB)).kind == "nothing"


def test_a_name_that_is_no_text_is_named(landing: Landing) -> None:
    (Path(os.fsdecode(os.fsencode(landing.folder / "weather") + b"/\xff.csv"))).write_bytes(b"a,b\n")
    with pytest.raises(SourceDataError, match="UTF-8"):
        landing.plan(landing.table(columns=AB))


def test_a_file_growing_between_plan_and_read_is_not_taken_half(landing: Landing) -> None:
    path = landing.land("a.csv", b"a,b\n1,x\n")
    window = landing.plan(landing.table(columns=AB), -timedelta(hours=1))
    with path.open("ab") as file:
        file.write(b"2,y\n")
    with pytest.raises(SourceDataError, match="changed after the run was planned"):
        landing.extract(window, landing.table(columns=AB))
