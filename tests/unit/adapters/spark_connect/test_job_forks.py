"""Jobs are forked from a process that has imported what they need: each is its own, and ends with its caller."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.living_processes import lives

from headwater.adapters.spark_connect import job_forks
from headwater.adapters.spark_connect.job_process import JobProcess, listen
from headwater.domain.errors import EngineError

WORK = """
import os, signal, sys, time
imported = os.getpid()
def preload():
    print("imports", flush=True)
def main(arguments):
    if arguments[0] == "tell":
        print(imported != os.getpid(), os.getcwd(), os.environ.get("SECRET"), os.environ.get("OF_THE_SERVER"))
        print("to errors", file=sys.stderr)
        return 3
    if arguments[0] == "wait":
        print(os.getpid(), flush=True)
        time.sleep(60)
    if arguments[0] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    raise RuntimeError("what went wrong")
"""
Start = Callable[..., JobProcess]


@pytest.fixture
def forking(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process that forks, below a path that is longer than a socket's name may be."""
    (tmp_path / "work_of_a_test.py").write_text(WORK)
    (folder := tmp_path / ("deep" * 30)).mkdir()
    with listen(folder / "jobs.sock") as listener, (tmp_path / "log").open("wb") as log:
        arguments = ["-m", job_forks.__name__, str(listener.fileno()), "work_of_a_test"]
        environ = {**os.environ, "PYTHONPATH": str(tmp_path), "OF_THE_SERVER": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen(
            [sys.executable, "-P", *arguments],
            pass_fds=[listener.fileno()],
            env=environ,
            stdout=log,
        )
    yield process
    process.terminate()
    process.wait()


@pytest.fixture
def start(forking: subprocess.Popen[bytes], tmp_path: Path) -> Start:
    return lambda *arguments, **environ: JobProcess(
        tmp_path / ("deep" * 30) / "jobs.sock", arguments, {"PATH": "", **environ}
    )


def ends(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while lives(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not lives(pid)


def test_a_job_has_its_callers_environment_and_folder_and_an_output_of_its_own(start: Start) -> None:
    job = start("tell", SECRET="s3cret")
    assert job.stdout.read() == f"True {Path.cwd()} s3cret None\n"
    assert job.stderr.read() == "to errors\n"
    assert job.wait() == 3
    job.close()


def test_how_a_job_ended_is_told(start: Start) -> None:
    died, raised = start("die"), start("raise")
    assert died.wait() == -signal.SIGKILL
    assert "RuntimeError: what went wrong" in raised.stderr.read()
    assert raised.wait() == 1
    died.close()
    raised.close()


def test_the_work_is_imported_once_and_again_when_its_files_changed(start: Start, tmp_path: Path) -> None:
    for _ in range(2):
        job = start("tell")
        assert job.wait() == 3
        job.close()
    changed = (tmp_path / "work_of_a_test.py").read_text().replace("return 3", "return 4")
    (tmp_path / "work_of_a_test.py").write_text(changed)
    for _ in range(2):
        job = start("tell")
        assert job.wait() == 4
        job.close()
    assert (tmp_path / "log").read_text() == "imports\n" * 2


def test_a_job_that_is_ended_or_let_go_of_ends(start: Start) -> None:
    """Rule 2: nobody who was given up goes on writing."""
    ended, closed = start("wait"), start("wait")
    pids = [int(job.stdout.readline()) for job in (ended, closed)]
    ended.end()
    assert ended.wait() == -signal.SIGTERM
    closed.close()
    assert all(ends(pid) for pid in pids)
    ended.close()


@pytest.mark.usefixtures("forking")
def test_a_job_ends_with_a_caller_that_was_killed(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from headwater.adapters.spark_connect.job_process import JobProcess\n"
        "job = JobProcess(Path(sys.argv[1]), ['wait'], {}); print(job.stdout.readline(), flush=True); job.wait()"
    )
    path = str(tmp_path / ("deep" * 30) / "jobs.sock")
    caller = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE)
    assert caller.stdout is not None
    pid = int(caller.stdout.readline())
    caller.kill()
    assert ends(pid)
    caller.wait()
    caller.stdout.close()


def test_jobs_end_with_the_process_that_forks_and_none_can_be_started(
    start: Start, forking: subprocess.Popen[bytes]
) -> None:
    job = start("wait")
    pid = int(job.stdout.readline())
    forking.kill()
    assert ends(pid)
    assert job.wait() == -signal.SIGTERM
    job.close()
    with pytest.raises(EngineError) as raised:
        start("tell")
    assert raised.value.retry_helps


def test_only_its_own_user_may_start_jobs(tmp_path: Path) -> None:
    with listen(tmp_path / "jobs.sock"):
        assert (tmp_path / "jobs.sock").stat().st_mode & 0o077 == 0
