"""What a landing folder offers: groups of files, and columns that read those very files without a reject."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from tests.integration.sources.sources_under_test import live_schema

from headwater.adapters.sources.files.extractor import FilesExtractor
from headwater.cli.scaffold import write_source
from headwater.domain.errors import SourceTableMissingError
from headwater.domain.run import RunRequest
from headwater.domain.spec import FilesExtract, Owner, TableSpec
from headwater.model.repository import load_repository
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp, SourceRelation

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STAMP = BatchStamp(run_key="i/shop/r", planned_at=NOW, batch=1, attempt="a")
ORDERS = (
    "id,price,placed,at,note,code,paid\n"
    "1,9.90,2026-01-01,2026-01-01 10:00:00,a,007,true\n"
    "2,12.5,2026-01-02,2026-01-02T11:30,,012,false\n"
)


def connection(folder: Path) -> ConnectionInfo:
    return ConnectionInfo(id="landing", kind="fs", extra={"path": str(folder)})


def put(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / "landing" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / "landing"


def offered(folder: Path) -> dict[str, SourceRelation]:
    found = FilesExtractor(connection(folder)).list_relations()
    return {item.relation.removeprefix("files."): item for item in found}


def extract_of(item: SourceRelation) -> FilesExtract:
    assert item.files is not None
    return item.files


def taken(folder: Path, root: Path) -> dict[str, int]:
    """Rows by table, of the source that ``new-source`` writes; none is rejected."""
    found = FilesExtractor(connection(folder)).list_relations()
    write_source(root, "shop", "landing", Owner(team="shop", email=("shop@example.com",)), found)
    repository = load_repository(root)
    assert [str(error) for error in repository.errors] == []
    return {table.name: rows_of(table, folder, root / table.name) for table in repository.sources[0].tables}


def rows_of(table: TableSpec, folder: Path, target: Path) -> int:
    extractor = FilesExtractor(connection(folder))
    schema = live_schema(extractor.inspect(table))
    window = extractor.plan(table, None, None, RunRequest(), datetime.now(UTC))
    extracted = extractor.extract(table, window, STAMP, schema, str(target))
    assert extracted.rejected == 0
    return extracted.rows


def test_types_are_the_narrowest_that_lose_nothing(tmp_path: Path) -> None:
    found = offered(put(tmp_path, {"orders/2026-01-01.csv": ORDERS}))["orders"]
    extract = extract_of(found)
    assert extract.columns == {
        "id": "long", "price": "decimal(18,2)", "placed": "date", "at": "timestamp", "note": "string",
        "code": "string", "paid": "boolean",
    }  # fmt: skip
    assert (extract.path, found.unique_key) == ("orders", ("id",))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2"], "long"),
        (["1", "-2.50"], "decimal(18,2)"),
        (["0.1234567", "5"], "double"),
        (["1e5", "2"], "double"),
        (["01", "2"], "string"),
        (["12345678901234567890", "1"], "decimal(38,0)"),
        (["1" * 40, "1"], "string"),
        (["0", "1"], "long"),
        (["True", "false"], "boolean"),
        (["2026-02-29", "2026-02-28"], "string"),
        (["2026-01-01 00:00:00+01:00", "2026-01-01 00:00:00Z"], "timestamptz"),
        (["", ""], "string"),
    ],
)
def test_a_type_holds_every_value_that_was_seen(tmp_path: Path, values: list[str], kind: str) -> None:
    lines = "".join(f"{place},{value}\n" for place, value in enumerate(values))
    found = offered(put(tmp_path, {"t/1.csv": f"id,v\n{lines}"}))["t"]
    assert extract_of(found).columns["v"] == kind


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"id;v\n1;a,b\n2;c\n", {"delimiter": ";"}),
        (b"id\tv\n1\ta\n", {"delimiter": "\t"}),
        (b'id,v\n1,"a\nb;c"\n2,x\n', {}),
        ("id,v\n1,ä\n".encode("cp1252"), {"encoding": "cp1252"}),
        ("id,v\n1,ä\n".encode("utf-16"), {"encoding": "utf-16"}),
        (b"\xef\xbb\xbfid,v\n1,a\n", {}),
        (b"1,2026-01-01\n2,2026-01-02\n", {"header": False}),
        (b"1\n", {"header": False}),
    ],
)
def test_dialects_are_told_apart(tmp_path: Path, content: bytes, options: dict[str, Any]) -> None:
    folder = put(tmp_path, {"t/1.csv": content})
    said = extract_of(offered(folder)["t"]).model_dump(exclude_defaults=True)
    assert {key: said[key] for key in said if key not in ("path", "columns")} == options
    assert taken(folder, tmp_path / "repository")["t"] >= 1


def test_files_are_grouped_by_where_they_lie_and_what_they_are_called(tmp_path: Path) -> None:
    one = "id,v\n1,a\n"
    files: dict[str, str | bytes] = {
        "shop/orders_2026-01-01.csv": one,
        "shop/orders_2026-01-02.csv": one,
        "shop/customers.csv": one,
        "shop/_SUCCESS": "",
        "days/2026/01/02/visits.csv": one,
        "parts/day=2026-01-01/shop=north/part-00000-3f2504e0-4f89-11d3-9a0c-0305e82c3301.csv": one,
        "parts/day=2026-01-02/shop=south/part-00001-3f2504e0-4f89-11d3-9a0c-0305e82c3302.csv": one,
        "packed/a1.csv.gz": gzip.compress(one.encode()),
        "top-1.csv": one,
        "readme.md": "# not a table",
        ".hidden/1.csv": one,
    }
    folder = put(tmp_path, files)
    assert {name: extract_of(item).path for name, item in offered(folder).items()} == {
        "orders": "shop/orders*.csv",
        "customers": "shop/customers.csv",
        "days": "days/*/*/*/*.csv",
        "parts": "parts",
        "packed": "packed",
        "top": "top*.csv",
    }
    parts = extract_of(offered(folder)["parts"])
    assert (parts.partitions, parts.columns["day"], parts.columns["shop"]) == (("day", "shop"), "date", "string")
    rows = {"orders": 2, "customers": 1, "days": 1, "parts": 2, "packed": 1, "top": 1}
    assert taken(folder, tmp_path / "repository") == rows


def test_json_parquet_and_delta_tell_their_columns(tmp_path: Path) -> None:
    lines = (
        '{"id": 1, "n": 1.50, "s": "7", "o": {"a": 1}}\n{"id": 2, "s": "2026-01-01", "at": "2026-01-01T00:00:00Z"}\n'
    )
    folder = put(tmp_path, {"lines/1.jsonl": lines, "array/1.json": json.dumps([{"id": 1, "v": None}])})
    (folder / "columns").mkdir()
    duckdb.sql(
        "SELECT 1::UINTEGER AS id, 1.5::DECIMAL(9,2) AS d, now() AS at, [1] AS list, 'x'::BLOB AS raw"
    ).write_parquet(str(folder / "columns" / "1.parquet"))
    write_deltalake(folder / "lake" / "log", pa.table({"id": pa.array([1, 2], pa.int32()), "s": ["a", "b"]}))
    found = offered(folder)
    assert {name: extract_of(item).columns for name, item in found.items()} == {
        "lines": {"id": "long", "n": "decimal(18,2)", "s": "string", "o": "string", "at": "timestamptz"},
        "array": {"id": "long", "v": "string"},
        "columns": {"id": "long", "d": "decimal(9,2)", "at": "timestamptz", "list": "string", "raw": "binary"},
        "log": {"id": "int", "s": "string"},
    }
    assert extract_of(found["log"]).path == "lake/log"
    assert taken(folder, tmp_path / "repository") == {"lines": 2, "array": 1, "columns": 1, "log": 2}


def test_what_cannot_be_looked_into_is_left_out_and_says_why(tmp_path: Path) -> None:
    folder = put(
        tmp_path,
        {
            "empty/1.csv": b"",
            "broken/1.parquet": b"PAR1",
            "object/1.json": b'{"a": 1}',
            "damaged/1.csv.gz": b"no gzip",
            "prose/1.txt": b"Dear reader,\nthis is no table.\n",
            "reserved/1.csv": b"id,_deleted\n1,2\n",
        },
    )
    problems = {name: item.problem or "" for name, item in offered(folder).items()}
    assert set(problems) == {"empty", "broken", "object", "damaged", "prose", "reserved"}
    assert all(problems.values())
    assert "no delimiter" in problems["prose"]
    assert "is empty" in problems["empty"]
    assert "reserved name" in problems["reserved"]


def test_a_column_is_a_key_where_it_is_called_one_and_never_repeats(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"a/1.csv": "v,order_id\n1,1\n1,2\n", "b/1.csv": "order_id,v\n1,1\n1,2\n"}
    found = offered(put(tmp_path, files))
    assert (found["a"].unique_key, found["b"].unique_key) == (("order_id",), ())
    assert "never there twice" in found["a"].doubt


@pytest.mark.parametrize("name", ["t/1.csv", "t/1.jsonl", "t/1.json", "t/1.csv.gz"])
def test_a_large_file_is_looked_into_and_read_whole(tmp_path: Path, name: str) -> None:
    """The sample ends in the middle of a record, and of a character."""
    records = [{"id": number, "note": "ü" * 50} for number in range(12_000)]
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    csv = "id,note\n" + "".join(f"{record['id']},{record['note']}\n" for record in records)
    text = {"csv": csv, "jsonl": "\n".join(lines), "json": f"[{','.join(lines)}]", "gz": csv}[name.rpartition(".")[2]]
    content = gzip.compress(text.encode(), 1) if name.endswith("gz") else text.encode()
    folder = put(tmp_path, {name: content})
    assert extract_of(offered(folder)["t"]).columns == {"id": "long", "note": "string"}
    assert taken(folder, tmp_path / "repository") == {"t": 12_000}


def test_groups_of_one_name_are_told_apart(tmp_path: Path) -> None:
    one: str | bytes = "id,v\n1,a\n"
    folder = put(tmp_path, {"a/t/1.csv": one, "b/t/1.csv": one, "c/t_2/1.csv": one, "d/T/1.csv": one})
    assert sorted(offered(folder)) == ["T", "t", "t_2", "t_2_2"]
    assert len(taken(folder, tmp_path / "repository")) == 4


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceTableMissingError, match="does not exist"):
        offered(tmp_path / "nowhere")
