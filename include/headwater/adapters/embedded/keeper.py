"""Runs one command for as long as somebody uses it: ``python keeper.py USERS_LOCK SIGNALS COMMAND…``.

Users hold a shared ``flock`` on USERS_LOCK. The kernel drops it when they end, however they end, so the exclusive
lock this process waits for is granted exactly when the last user is gone, kill -9 included. Then the command and all
its descendants are stopped: each of SIGNALS (``SIGINT,SIGTERM``) is given ten seconds, then comes SIGKILL.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import psutil

PATIENCE_SECONDS = 10.0
_DEAF_TO = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def family(root: int, session: int) -> list[psutil.Process]:
    """The process, its descendants and every other member of the session but its leader."""
    found = {
        process.pid: process
        for process in psutil.process_iter()
        if process.pid != session and _session_of(process.pid) == session
    }
    try:
        kept = psutil.Process(root)
        found |= {process.pid: process for process in [kept, *kept.children(recursive=True)]}
    except psutil.NoSuchProcess:
        found.pop(root, None)
    return list(found.values())


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def stop_family(root: int, session: int, signals: Sequence[signal.Signals]) -> None:
    """Stop the command and whatever it started, and wait for each. The root is told first and alone:
    Postgres and Airflow end their own workers in order; whoever is left is told next.
    """
    alive = family(root, session)
    for number in [*signals, signal.SIGKILL]:
        roots = [process for process in alive if process.pid == root]
        for process in roots if roots and number != signal.SIGKILL else alive:
            _send(process, number)
        psutil.wait_procs(alive, timeout=PATIENCE_SECONDS)
        alive = [process for process in family(root, session) if process.status() != psutil.STATUS_ZOMBIE]
        if not alive:
            return
    psutil.wait_procs(alive, timeout=PATIENCE_SECONDS)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def main(arguments: Sequence[str]) -> int:
    """Start the command and keep it until nobody uses it, or until it ends by itself."""
    lock, names, *command = arguments
    for number in _DEAF_TO:
        signal.signal(number, signal.SIG_IGN)  # only the users' lock decides, not a Ctrl-C meant for one of them
    signals = [signal.Signals[name] for name in names.split(",")]
    unused = threading.Event()

    def end_with_the_command(child: subprocess.Popen[bytes]) -> None:
        code = child.wait()
        if not unused.is_set():
            stop_family(child.pid, os.getsid(0), signals)
            os._exit(code & 0xFF)

    with Path(lock).open("rb") as users, keeper_file(Path(lock)).open("wb") as living:
        # whoever starts a successor waits for this one, so that two never keep at once
        fcntl.flock(living, fcntl.LOCK_EX)
        child = subprocess.Popen(command, preexec_fn=_default_signals)  # noqa: PLW1509 - no thread runs yet
        child_file(Path(lock)).write_text(f"{child.pid} {psutil.Process(child.pid).create_time()}")
        threading.Thread(target=end_with_the_command, args=(child,), daemon=True).start()
        fcntl.flock(users, fcntl.LOCK_EX)
        unused.set()
        stop_family(child.pid, os.getsid(0), signals)
    return 0


def keeper_file(users_lock: Path) -> Path:
    """Locked exclusively by the keeper for as long as it lives."""
    return users_lock.with_suffix(".keeper")


def child_file(users_lock: Path) -> Path:
    """Holds pid and start time of the kept command, by which a successor finds it when its keeper was killed."""
    return users_lock.with_suffix(".child")


def _default_signals() -> None:
    for number in _DEAF_TO:
        signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
