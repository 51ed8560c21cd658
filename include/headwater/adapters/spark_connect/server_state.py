"""What a running Connect server is known by: its files under ``<home>/spark`` and the process behind them."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class ServerState:
    """A server as its keeper wrote it down. ``started`` tells a process from a later one with the same id."""

    pid: int
    started: float
    keeper_pid: int
    port: int
    java: str

    def is_alive(self) -> bool:
        """Whether the process is the one that was started, and its port answers."""
        return is_process(self.pid, self.started) and port_answers(self.port)


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """Paths of one home folder's server."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "server.json"

    @property
    def token(self) -> Path:
        return self.folder / "token"

    @property
    def properties(self) -> Path:
        return self.folder / "server.properties"

    @property
    def address(self) -> Path:
        """Where the driver says how it is reached while it starts; gone as soon as that is read."""
        return self.folder / "driver.address"

    @property
    def jobs(self) -> Path:
        """Socket of the process that forks jobs, for this system user only."""
        return self.folder / "jobs.sock"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def start_lock(self) -> Path:
        return self.folder / "start.lock"

    @property
    def users_lock(self) -> Path:
        return self.folder / "users.lock"

    def read_state(self) -> ServerState | None:
        """The state last written, whether or not that server still lives."""
        if not self.state.exists():
            return None
        return ServerState(**json.loads(self.state.read_text()))

    def write_state(self, state: ServerState) -> None:
        fresh = self.state.with_name(".server.json.new")
        fresh.write_text(json.dumps(asdict(state)))
        fresh.replace(self.state)


def is_process(pid: int, started: float) -> bool:
    """Whether a process of this id, started at this instant (seconds since the epoch), runs."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def port_answers(port: int, timeout_seconds: float = 2.0) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout_seconds):
            return True
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def locked(path: Path, kind: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Hold a file lock; the kernel drops it when this process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)


def nobody_holds(path: Path) -> bool:
    """Whether no process holds the lock now."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
