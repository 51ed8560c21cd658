"""An extract that is killed, cut off or overtaken by writers ends as if nothing had happened, once it is done again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import psycopg
import pytest
from tests.integration.sources.sources_under_test import Source, live_schema, rows_of, sql_table

from headwater.domain.errors import SourceUnreachableError
from headwater.domain.spec import TableSpec
from headwater.ports.failpoints import VARIABLE

CHANGE = "update facts set n = 1; delete from facts where id > 200"
INCREMENTAL = {"mode": "incremental", "cursor": "id"}
CHILD = """
import resource, sys
from pathlib import Path
sys.path.append(sys.argv[1])
from tests.integration.sources.sources_under_test import Source, connection_of, sql_table
import os
url = os.environ["SOURCE_URL"]
source = Source(connection_of(url), url, Path(sys.argv[2]))
window, extracted = source.run(sql_table(key=(), mode="incremental", cursor="id"))
print(extracted.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def child(source: Source, failpoint: str = "") -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[3])
    scratch = source.folder.parent  # what a killed process leaves behind goes with the test's folder
    environment = os.environ | {"SOURCE_URL": source.url, VARIABLE: failpoint, "TMPDIR": str(scratch)}
    command = [sys.executable, "-c", CHILD, root, str(source.folder)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)


def table(**extract: object) -> TableSpec:
    return sql_table(**{"key": (), **INCREMENTAL, **extract})  # type: ignore[arg-type]


@pytest.mark.parametrize("point", ["extract.reading", "extract.mid", "extract.files"])
def test_killed_extract_done_again_with_its_window_reads_the_same_rows(source: Source, point: str) -> None:
    source.sql("create table flights as select g as id, g / 7.0 as fare from generate_series(1, 5000) g")
    window = source.plan(table())
    uninterrupted = rows_of(source.extract(table(), window), "id, fare, _hw_position")
    assert child(source, f"{point}:kill").returncode == -signal.SIGKILL
    source.sql("insert into flights values (5001, 1)")
    again = source.extract(table(), window)
    assert rows_of(again, "id, fare, _hw_position") == uninterrupted


def test_cut_connection_is_unreachable_and_shows_no_password(source: Source) -> None:
    source.sql("create view flights as select g as id, pg_sleep(0.005)::text as n from generate_series(1, 2000) g")
    window, live = source.plan(sql_table(key=())), live_schema(source.inspect(sql_table(key=())))
    cutter = threading.Thread(target=cut_reader, args=(source,))
    cutter.start()
    with pytest.raises(SourceUnreachableError) as caught:
        source.extract(sql_table(key=()), window, live)
    cutter.join()
    assert caught.value.retry_helps
    assert source.info.password.get_secret_value() not in "".join(traceback.format_exception(caught.value))


def test_source_changing_during_the_read_gives_one_moment(source: Source) -> None:
    source.sql("create table facts (id int, n int)", "insert into facts select g, 0 from generate_series(1, 400) g")
    source.sql("create view flights as select id, n, pg_sleep(0.005)::text as s from facts")
    writer = threading.Thread(target=after_reader_started, args=(source, CHANGE))
    writer.start()
    extracted = source.extract(sql_table(key=()), source.plan(sql_table(key=())))
    writer.join()
    assert rows_of(extracted, "id, n") == [(number, 0) for number in range(1, 401)]


def test_memory_does_not_grow_with_rows(source: Source) -> None:
    grown = []
    for rows in (40_000, 400_000):
        source.sql("drop table if exists flights")
        source.sql(f"create table flights as select g as id, md5(g::text) as t from generate_series(1, {rows}) g")
        done = child(source)
        assert done.returncode == 0, done.stderr
        read, mebibytes = done.stdout.split()
        assert int(read) == rows
        grown.append(int(mebibytes))
    assert grown[1] - grown[0] < 100


def wait_for_reader(session: psycopg.Connection[tuple[object, ...]]) -> int:
    """The backend that DuckDB's read runs in."""
    query = (
        "select pid from pg_stat_activity where application_name = 'headwater' and state = 'active' "
        "and datname = current_database() and query like 'COPY%'"
    )
    for _ in range(600):
        row = session.execute(query).fetchone()
        if row is not None:
            return int(str(row[0]))
        time.sleep(0.05)
    raise AssertionError("no reader was seen")


def cut_reader(source: Source) -> None:
    with psycopg.connect(source.url, autocommit=True) as session:
        session.execute("select pg_terminate_backend(%s)", (wait_for_reader(session),))


def after_reader_started(source: Source, statement: str) -> None:
    with psycopg.connect(source.url, autocommit=True) as session:
        wait_for_reader(session)
        session.execute(statement.encode())
