"""Which files of a folder are read: complete ones, once, those of the path, whatever they are called (rule 29)."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.integration.sources.landing_under_test import AB, Landing, rows
from tests.integration.sources.sources_under_test import rejects_of, rows_of

from headwater.domain.errors import SchemaDriftError, SourceDataError
from headwater.domain.run import Window


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path)


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
