"""Five hundred columns, cells of five megabytes, ten times the rows, and an end at every point: for every kind."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.integration.sources.extractors_under_test import SUBJECTS
from tests.integration.sources.landed_under_test import Landed
from tests.integration.sources.mariadb_under_test import MariaTable
from tests.integration.sources.relations_under_test import Table
from tests.integration.sources.sources_under_test import rows_of
from tests.integration.sources.subject import CHILD, Subject

from headwater.domain.spec import FilesExtract
from headwater.ports.failpoints import VARIABLE, FailpointError

Row = dict[str, Any]


def _csv(rows: list[Row]) -> bytes:
    lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    return "\n".join(lines).encode()


def _parquet(rows: list[Row]) -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), content)
    return content.getvalue()


WRITERS: dict[str, Callable[[list[Row]], bytes]] = {
    "csv": _csv,
    "csv.gz": lambda rows: gzip.compress(_csv(rows), 1),
    "jsonl": lambda rows: "\n".join(map(json.dumps, rows)).encode(),
    "json": lambda rows: json.dumps(rows).encode(),
    "parquet": _parquet,
}
KINDS = [*WRITERS, "sqlite", "mariadb"]


def holding(
    kind: str, folder: Path, columns: dict[str, str], rows: list[Row], request: pytest.FixtureRequest
) -> Subject:
    """A subject of that kind that has these rows."""
    if kind == "mariadb":
        maria = MariaTable(request.getfixturevalue("mariadb"), folder)
        maria.fill({name: {"int": "int", "string": "longtext"}[kind] for name, kind in columns.items()}, rows)
        return maria
    if kind == "sqlite":
        table = Table(folder)
        table.sql("drop table flights")
        declared = {"int": "int", "string": "text"}
        table.sql(f"create table flights ({', '.join(f'{name} {declared[type_]}' for name, type_ in columns.items())})")
        with closing(sqlite3.connect(table.path)) as session, session:
            marks = ", ".join("?" * len(columns))
            session.executemany(f"insert into flights values ({marks})", [tuple(row.values()) for row in rows])
        return table
    landed = Landed(folder, kind)
    extract = FilesExtract.model_validate(
        {"path": "flights", "columns": columns, "format": kind.partition(".")[0], "max_expansion": 10_000}
    )
    landed.table = landed.table.model_copy(update={"extract": extract})
    landed.put(f"flights/a.{kind}", WRITERS[kind](rows))
    return landed


def _cell(row: int, number: int) -> Any:
    return row * number if number % 2 else f"t{number}"


@pytest.mark.parametrize("kind", KINDS)
def test_five_hundred_columns(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    columns = {"id": "int"} | {f"c{number}": "int" if number % 2 else "string" for number in range(500)}
    rows = [{"id": row} | {f"c{n}": _cell(row, n) for n in range(500)} for row in range(50)]
    subject = holding(kind, tmp_path, columns, rows, request)
    extracted = subject.run()
    assert (extracted.rows, extracted.rejected) == (50, 0)
    assert rows_of(extracted, "id, c0, c499")[49] == (49, "t0", 49 * 499)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_of_five_megabytes(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    cell = "ä" * 2_500_000
    subject = holding(
        kind, tmp_path, {"id": "int", "note": "string"}, [{"id": 1, "note": cell}, {"id": 2, "note": ""}], request
    )
    found = rows_of(subject.run(), "id, strlen(note), note[1:2]")
    # an unquoted empty field of CSV is NULL
    assert found == [(1, 5_000_000, "ää"), (2, None, None) if kind.startswith("csv") else (2, 0, "")]


POINTS = ["extract.reading", "extract.batch", "extract.file", "extract.chunk", "extract.mid", "extract.files"]


@pytest.fixture(params=[name for name in SUBJECTS if name not in ("incremental", "snapshot")])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    return SUBJECTS[request.param](request, tmp_path)


def test_a_read_that_ends_anywhere_leaves_nothing_and_is_done_again(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 5: whatever a first try did, the second gives the rows of an uninterrupted one; scratch files are gone."""
    scratch = tmp_path / "scratch-of-the-failed"
    scratch.mkdir()
    for number in range(3):
        subject.add(range(number * 10 + 1, number * 10 + 11))
    window, struck = subject.plan(), []
    whole = rows_of(subject.extract(window), "*EXCLUDE (_hw_batch)")
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    for point in POINTS:
        monkeypatch.setenv(VARIABLE, f"{point}:raise")
        try:
            subject.extract(window)
        except FailpointError:
            struck.append(point)
        monkeypatch.delenv(VARIABLE)
        assert list(scratch.iterdir()) == []
        assert rows_of(subject.extract(window), "*EXCLUDE (_hw_batch)") == whole
    # of batch, file and chunk a kind knows one, or two
    assert len(struck) >= len(POINTS) - 2
    assert len(whole) == 30


def test_rows_that_stay_in_the_window_all_return_and_one_that_left_it_reappears(tmp_path: Path) -> None:
    table = Table(tmp_path, mode="incremental", cursor="at", lag="1h")
    table.sql("drop table flights")
    table.sql("create table flights (id int primary key, at datetime)")
    table.sql("insert into flights values (1, '2013-01-01 10:00:00'), (2, '2013-01-01 10:00:00')")
    window = table.plan()
    table.sql("update flights set at = '2013-01-01 11:00:00' where id = 2")
    assert [row[0] for row in rows_of(table.extract(window), "id")] == [1]
    table.state = None
    assert [row[0] for row in rows_of(table.run(), "id")] == [1, 2]


# not getrusage: its peak begins with that of the process that started this one
MEASURED = (
    CHILD
    + """
for line in open("/proc/self/status"):
    if line.startswith("VmHWM:"):
        print("peak", line.split()[1])
"""
)
ROWS, BOUND_MIB = 200_000, 450


def _peak_mib(subject: Subject) -> float:
    """Memory of a process that extracts, in MiB."""
    values = (subject.table, subject.connection, subject.plan(), subject.stamp, subject.schema())
    arguments = [*(value.model_dump_json(by_alias=True) for value in values), str(subject.folder)]
    command = [sys.executable, "-c", MEASURED, *arguments]
    secret = subject.connection.password.get_secret_value()
    done = subprocess.run(command, env={"SOURCE_PASSWORD": secret, "PATH": ""}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return int(done.stdout.split()[-1]) / 1024


def _rows(count: int) -> Iterator[Row]:
    return ({"id": number, "note": f"note {number} " + "x" * 400} for number in range(count))


@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_bounded(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    """DuckDB fills the 200 MB it may have; what Python holds beside it does not grow with the rows."""
    content = list(_rows(ROWS))
    assert _peak_mib(holding(kind, tmp_path, {"id": "int", "note": "string"}, content, request)) < BOUND_MIB


def test_no_trace_of_a_secret_in_state_or_progress(subject: Subject) -> None:
    secret = subject.connection.password.get_secret_value()
    subject.add([1, 2])
    said: list[str] = []
    window, schema = subject.plan(), subject.schema()
    subject.with_extractor(
        lambda e: e.extract(subject.table, window, subject.stamp, schema, str(subject.folder), None, said.append)
    )
    subject.run()
    kept = [window.model_dump_json(), *said, str(subject.state), (subject.ledger or b"").decode()]
    kept += [path.read_bytes().decode("latin-1") for path in subject.folder.iterdir()]
    assert said
    assert not any(secret in text for text in kept)
