"""Keeps one Connect server, and the process that forks its jobs, until nobody used them for a while.

``python -m … FOLDER SPARK_HOME IDLE PORT``

Users hold a shared lock on ``users.lock``; the kernel drops it when they end, kill -9 included. Both die with their
keeper, and one does not stay without the other.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import psutil

from headwater.adapters.spark_connect import job_forks
from headwater.adapters.spark_connect.driver import begin_serving, die_with_parent, start_driver
from headwater.adapters.spark_connect.job_process import listen
from headwater.adapters.spark_connect.server_state import ServerFiles, ServerState, nobody_holds, port_answers

JOBS = "headwater_spark.entrypoints.run_job"
_WITHOUT_THREADS = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""Libraries start threads as they are imported, which would not survive a fork."""
POLL_SECONDS = 1.0
_STOP_PATIENCE_SECONDS = 15.0


def start_server(files: ServerFiles, spark_home: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the server; its state is written as soon as it has a process id."""
    files.address.unlink(missing_ok=True)
    child = start_driver(spark_home, files.properties, files.address, files.log)
    started = psutil.Process(child.pid).create_time()
    files.write_state(ServerState(child.pid, started, os.getpid(), port, os.environ.get("JAVA_HOME", "")))
    return child


def start_forking(files: ServerFiles) -> subprocess.Popen[bytes]:
    """Start the process that forks jobs; callers may come at once, and wait for its imports."""
    with listen(files.jobs) as listener, files.log.open("ab") as log:
        return subprocess.Popen(
            # what lies in the folder somebody happened to start from is not imported (-P)
            [sys.executable, "-P", "-m", job_forks.__name__, str(listener.fileno()), JOBS],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **_WITHOUT_THREADS},
            pass_fds=[listener.fileno()],
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread runs yet
        )


def keep(
    files: ServerFiles, children: Sequence[subprocess.Popen[bytes]], idle_seconds: float, port: int, told: Event
) -> None:
    """Wait until one of them ended, this was told to end, or nobody used the server for ``idle_seconds``."""
    last_used = time.monotonic()
    while all(child.poll() is None for child in children) and not told.wait(POLL_SECONDS):
        if not nobody_holds(files.users_lock) or not port_answers(port):
            last_used = time.monotonic()
        elif time.monotonic() - last_used > idle_seconds:
            return


def stop(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(_STOP_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def main(arguments: Sequence[str]) -> int:
    """Start, keep, stop."""
    folder, spark_home, idle_seconds, port = arguments
    files, told = ServerFiles(Path(folder)), Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is meant for one of its users
    forking = start_forking(files)
    child = start_server(files, Path(spark_home), int(port))
    try:
        begin_serving(child, files.address)
        keep(files, (child, forking), float(idle_seconds), int(port), told)
    finally:
        stop(forking)
        stop(child)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
