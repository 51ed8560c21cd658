"""Processes that live exactly as long as somebody uses them, kill -9 of the users included (see ``keeper``)."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

import psutil

from headwater.adapters.embedded import keeper
from headwater.domain.errors import StackError

START_SECONDS = 10.0
STOP_SECONDS = 60.0


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


def stop_orphan(users_lock: Path, signals: Sequence[signal.Signals]) -> None:
    """Stop what a killed keeper left behind, found by pid and start time."""
    record = keeper.child_file(users_lock)
    if not record.exists():
        return
    pid, started = record.read_text().split()
    try:
        same = psutil.Process(int(pid)).create_time() == float(started)
    except psutil.NoSuchProcess:
        same = False
    if same:
        keeper.stop_family(int(pid), os.getsid(int(pid)), signals)
    record.unlink(missing_ok=True)


@dataclass
class KeptProcess:
    """A command that runs while it has users.

    :param folder: where its lock files are; its log is ``log``.
    :param signals: how to ask it to stop, in order; each is given ten seconds.
    """

    name: str
    command: Sequence[str]
    folder: Path
    log: Path
    environ: Mapping[str, str] | None = None
    working_folder: Path | None = None
    signals: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)

    def __post_init__(self) -> None:
        self._users = UsersLock(self.folder / f"{self.name}.lock")

    def start(self) -> None:
        """Start it, or join the one that runs, after clearing away what a killed keeper left."""
        self._users.join()
        with (self.folder / f"{self.name}.starting").open("wb") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            if self._users.has_keeper():
                return
            stop_orphan(self._users.path, self.signals)
            names = ",".join(number.name for number in self.signals)
            start_kept(self.command, self._users.path, self.log, names, self.environ, self.working_folder)
            deadline = time.monotonic() + START_SECONDS
            while not self._users.has_keeper() and time.monotonic() < deadline:
                time.sleep(0.02)

    def is_running(self) -> bool:
        return self._users.has_keeper()

    def let_go(self) -> None:
        """Stop using it; without other users its keeper begins to stop it now."""
        self._users.leave()

    def wait_until_gone(self) -> None:
        """After ``let_go``: wait until it and its descendants are gone, unless others still use it.

        :raises StackError: when that takes longer than its keeper's patience allows.
        """
        deadline = time.monotonic() + STOP_SECONDS
        while not self._users.leave() and self._users.has_keeper():
            if time.monotonic() > deadline:
                raise StackError(f"{self.name} did not stop in {STOP_SECONDS:.0f} s.", got=f"log: {self.log}")
            time.sleep(0.05)
