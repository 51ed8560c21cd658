"""Stopping a demo from another terminal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.adapters.embedded.stack import EmbeddedStack

SERVING = """
import fcntl, os, pathlib, signal, sys, time
import psutil

def end(*_):
    serving.close()  # Airflow has stopped; Postgres and Spark are still stopping
    time.sleep(0.5)
    sys.exit()

signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in what a script started in the background
signal.signal(signal.SIGTERM, end)
serving = pathlib.Path(sys.argv[1]).open("ab")
fcntl.flock(serving, fcntl.LOCK_EX)
serving.write(f"{os.getpid()} {psutil.Process().create_time()}".encode())
serving.flush()
print("serving", flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path


@pytest.fixture
def server(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that serves the home, deaf to Ctrl-C, and slow to end."""
    command = [sys.executable, "-c", SERVING, str(home / "run" / "serving")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "serving\n"
        yield process
        process.kill()


def test_a_demo_in_the_background_is_stopped_and_gone(home: Path, server: subprocess.Popen[str]) -> None:
    stack = EmbeddedStack(home, home)
    assert stack.is_serving()
    assert stack.stop_serving()
    assert server.poll() is not None
    assert not stack.is_serving()


def test_where_nothing_serves_nothing_is_stopped(home: Path) -> None:
    assert not EmbeddedStack(home, home).stop_serving()
