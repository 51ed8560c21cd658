"""Processes that live exactly as long as somebody uses them, kill -9 of the users included (see ``keeper``)."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

from headwater.adapters.embedded import keeper


@dataclass
class UsersLock:
    """The shared lock that users of a kept process hold."""

    path: Path
    _held: BufferedReader | None = field(default=None, repr=False)

    def join(self) -> None:
        """Become a user. Waits while a keeper is stopping its process."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        self._held = self.path.open("rb")
        fcntl.flock(self._held, fcntl.LOCK_SH)

    def leave(self) -> bool:
        """Stop being a user. :returns: whether others still are."""
        if self._held is not None:
            self._held.close()
            self._held = None
        return _taken(self.path, fcntl.LOCK_EX) and not _taken(self.path, fcntl.LOCK_SH)

    def has_keeper(self) -> bool:
        """Whether a keeper lives, which it does until its process and all descendants are gone."""
        path = keeper.keeper_file(self.path)
        return path.exists() and _taken(path, fcntl.LOCK_EX)


def _taken(path: Path, kind: int) -> bool:
    with path.open("rb") as probe:
        try:
            fcntl.flock(probe, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def start_kept(
    command: Sequence[str],
    users_lock: Path,
    log: Path,
    signals: str = "SIGINT,SIGTERM",
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command under a keeper, in a session of its own; the caller holds the users' lock already."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, keeper.__file__, str(users_lock), signals, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(os.environ if environ is None else environ),
            cwd=folder,
            start_new_session=True,
        )
    # reaps it whenever it ends, which may be long after its starter forgot it
    threading.Thread(target=process.wait, daemon=True).start()
    return process


def wait_until_gone(keepers: Sequence[subprocess.Popen[bytes]], timeout_seconds: float = 60.0) -> bool:
    """Wait for keepers of ours to end, which they do when nobody uses what they keep."""
    deadline = time.monotonic() + timeout_seconds
    for process in keepers:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
    return True
