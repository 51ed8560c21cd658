from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from tests.living_processes import living

from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.embedded.postgres_files import PidFile, is_free


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="headwater-postgres-"))
    yield folder
    shutil.rmtree(folder)


def _pids(server: EmbeddedPostgres) -> list[psutil.Process]:
    found = PidFile.read(server.cluster)
    assert found is not None
    parent = found.process.parent()
    assert parent is not None
    return [parent, found.process, *found.process.children(recursive=True)]


def _wait_gone(processes: list[psutil.Process]) -> None:
    assert living(processes, seconds=30) == []


def test_serves_on_loopback_keeps_port_and_data_and_leaves_no_process(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    with server:
        server.create_databases(["source", "source"])
        server.create_databases(["source"])
        with psycopg.connect(server.url("source")) as connection:
            assert connection.execute("SHOW server_version").fetchone()[0].startswith("18.")  # type: ignore[index]
            connection.execute("CREATE TABLE t AS SELECT 7 AS n")
        port, processes = server.port, _pids(server)
    _wait_gone(processes)
    assert is_free(port)
    with EmbeddedPostgres(data_dir) as again, psycopg.connect(again.url("source")) as connection:
        assert again.port == port
        assert connection.execute("SELECT n FROM t").fetchone() == (7,)


def test_password_is_demanded_and_its_file_is_closed_to_others(postgres_server: EmbeddedPostgres) -> None:
    assert (postgres_server.data_dir / "password").stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=postgres_server.port, user="postgres", dbname="postgres", password="x")


def test_two_users_share_one_server_and_the_last_stops_it(data_dir: Path) -> None:
    first, second = EmbeddedPostgres(data_dir, durable=False), EmbeddedPostgres(data_dir, durable=False)
    first.start()
    second.start()
    processes = _pids(first)
    assert _pids(second)[:2] == processes[:2]
    first.stop()
    assert second.is_serving()
    second.stop()
    _wait_gone(processes)


def test_killed_user_takes_its_server_along(data_dir: Path) -> None:
    code = f"""
import time
from pathlib import Path
from headwater.adapters.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path({str(data_dir)!r}), durable=False).start()  # one that is forgotten is left
print("up", flush=True)
time.sleep(300)
"""
    user = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert user.stdout is not None
    assert user.stdout.readline() == b"up\n"
    processes = _pids(EmbeddedPostgres(data_dir))
    user.send_signal(signal.SIGKILL)
    user.wait()
    user.stdout.close()
    _wait_gone(processes)


@pytest.mark.parametrize("victim", ["postmaster", "keeper", "both"])
def test_start_recovers_after_kill_9(data_dir: Path, victim: str) -> None:
    server = EmbeddedPostgres(data_dir, durable=False).start()
    keeper, postmaster = _pids(server)[:2]
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    for process in {"postmaster": [postmaster], "keeper": [keeper], "both": [keeper, postmaster]}[victim]:
        os.kill(process.pid, signal.SIGKILL)
    time.sleep(0.2)
    with EmbeddedPostgres(data_dir, durable=False) as again, psycopg.connect(again.url()) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)
        replaced = _pids(again)
    server.stop()
    _wait_gone([keeper, postmaster, *replaced])


def test_pid_file_of_another_program_is_stale(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, durable=False) as server:
        cluster = server.cluster
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster}\n1\n5432\n\n127.0.0.1\n\nready\n")
    with EmbeddedPostgres(data_dir, durable=False) as again:
        assert again.is_serving()
