"""Keeps one Connect server and stops it when nobody used it for a while: ``python -m … FOLDER SPARK_HOME IDLE PORT``.

Users hold a shared lock on ``users.lock``; the kernel drops it when they end, kill -9 included. The server dies with
its keeper, so no server is ever without one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from headwater.adapters.spark_connect.driver import begin_serving, start_driver
from headwater.adapters.spark_connect.server_state import ServerFiles, ServerState, nobody_holds, port_answers

POLL_SECONDS = 1.0
_STOP_PATIENCE_SECONDS = 15.0


def start_server(files: ServerFiles, spark_home: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the server; its state is written as soon as it has a process id."""
    files.address.unlink(missing_ok=True)
    child = start_driver(spark_home, files.properties, files.address, files.log)
    started = psutil.Process(child.pid).create_time()
    files.write_state(ServerState(child.pid, started, os.getpid(), port, os.environ.get("JAVA_HOME", "")))
    return child


def keep(
    files: ServerFiles, child: subprocess.Popen[bytes], idle_seconds: float, port: int, told: threading.Event
) -> None:
    """Wait until the server ended, was told to end, or had no user for ``idle_seconds``."""
    last_used = time.monotonic()
    while child.poll() is None and not told.wait(POLL_SECONDS):
        if not nobody_holds(files.users_lock) or not port_answers(port):
            last_used = time.monotonic()
        elif time.monotonic() - last_used > idle_seconds:
            return


def stop_server(child: subprocess.Popen[bytes]) -> None:
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
    files, told = ServerFiles(Path(folder)), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is meant for one of its users
    child = start_server(files, Path(spark_home), int(port))
    try:
        begin_serving(child, files.address)
        keep(files, child, float(idle_seconds), int(port), told)
    finally:
        stop_server(child)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
