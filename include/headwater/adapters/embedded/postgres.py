"""A real PostgreSQL 18 from a wheel, for one machine: `make demo`, the command line and the tests."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from headwater.adapters.embedded import postgres_files as files
from headwater.adapters.embedded import wal_archive
from headwater.adapters.embedded.keeper import stop_family
from headwater.adapters.embedded.kept import UsersLock, start_kept
from headwater.domain.errors import StackError

START_SECONDS = 60.0
STOP_SECONDS = 40.0
_STOP_SIGNALS = "SIGINT,SIGQUIT"  # fast, then immediate shutdown
_DROP_SIGNALS = "SIGQUIT"  # immediate: data nobody keeps needs no last checkpoint


class EmbeddedPostgres:
    """One server per ``data_dir``, shared by all processes that use it and stopped with the last of them.

    It listens on 127.0.0.1 only, with a generated password (``data_dir/password``, mode 0600), and keeps its port
    over restarts while that is free. A user that is killed counts as gone, so no server outlives its users.

    :param port: loopback port; default: the last one, or any free one.
    :param durable: False turns fsync and the last checkpoint off, for tests.
    :param archive: folder that finished segments of the log go to once it exists; None: nothing is archived.
    :param patience_seconds: how long a start may take; a recovery replays the log first.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        *,
        durable: bool = True,
        archive: Path | None = None,
        patience_seconds: float = START_SECONDS,
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.cluster = self.data_dir / "cluster"
        self.log = self.data_dir / "postgres.log"
        self._wanted_port = port
        self._durable = durable
        self.archive = None if archive is None else archive.resolve()
        self._patience_seconds = patience_seconds
        self._launched: subprocess.Popen[bytes] | None = None
        self._users = UsersLock(self.data_dir / "users.lock")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The loopback port."""
        return int((self.data_dir / "port").read_text())

    @property
    def password(self) -> str:
        """The password of ``postgres``: letters, digits, ``-`` and ``_``, so that it needs no escape in a URL."""
        return files.kept_password(self.data_dir / "password")

    def url(self, database: str = "postgres", driver: str | None = None) -> str:
        """``postgresql[+driver]://postgres:<password>@127.0.0.1:<port>/<database>``. Holds the password."""
        scheme = "postgresql" if driver is None else f"postgresql+{driver}"
        return f"{scheme}://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    def is_serving(self) -> bool:
        """Whether the server answers, whoever started it."""
        found = files.PidFile.read(self.cluster)
        return found is not None and found.ready

    def start(self) -> Self:
        """Start the server, or join the one that serves this folder already.

        :raises StackError: when it does not come up, with the last lines of its log.
        """
        self._users.join()
        with (self.data_dir / "start.lock").open("wb") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            if files.PidFile.read(self.cluster) is None or not self._users.has_keeper():
                self._clear_the_way()
                self._launch()
            try:
                self._wait_until_ready()
            except StackError:
                self.stop()
                raise
        return self

    def stop(self) -> None:
        """Stop using the server. The last user waits until it is down."""
        deadline = time.monotonic() + STOP_SECONDS
        others = self._users.leave()
        while not others and self._users.has_keeper():
            if time.monotonic() > deadline:
                raise StackError(f"Postgres in {self.data_dir} did not stop in {STOP_SECONDS:.0f} s.")
            time.sleep(0.02)
            others = self._users.leave()

    def create_databases(self, names: Sequence[str]) -> None:
        """Create the databases that do not exist yet."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.url(), autocommit=True) as connection:
            there = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            for name in dict.fromkeys(names):
                if name not in there:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _clear_the_way(self) -> None:
        """After kill -9: wait for a keeper whose server is gone, stop a server whose keeper is gone."""
        deadline = time.monotonic() + STOP_SECONDS
        while self._users.has_keeper() and time.monotonic() < deadline:
            time.sleep(0.02)
        found = files.PidFile.read(self.cluster)
        if found is not None:
            stop_family(found.process.pid, os.getsid(found.process.pid), [signal.SIGINT, signal.SIGQUIT])
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _launch(self) -> None:
        user = files.system_user()
        if user is not None:
            files.open_the_way(self.cluster, files.program("postgres"))
            self.data_dir.chmod(0o711)
        if not (self.cluster / "PG_VERSION").exists():
            self._initialise(user)
        port = files.kept_port(self.data_dir / "port", self._wanted_port)
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "max_connections": "200",
        }
        if self.archive is not None:
            options |= wal_archive.server_options(self.archive)
        if not self._durable:
            options["fsync"] = "off"  # a killed server still loses nothing, a machine without power may
        flags = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        command = [*_as(user), str(files.program("postgres")), "-D", str(self.cluster), *flags]
        # the folder we are in may be closed to the system user
        signals = _STOP_SIGNALS if self._durable else _DROP_SIGNALS
        self._launched = start_kept(command, self._users.path, self.log, signals, folder=Path("/"))

    def _initialise(self, user: str | None) -> None:
        self.cluster.mkdir(mode=0o700, exist_ok=True)
        files.own(self.cluster, user)
        with tempfile.NamedTemporaryFile("w", prefix="headwater-") as password:
            password.write(files.kept_password(self.data_dir / "password"))
            password.flush()
            files.own(Path(password.name), user)
            arguments = ["-D", str(self.cluster), "-U", "postgres", f"--pwfile={password.name}"]
            arguments += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
            arguments += ["--lc-messages=C"] + ([] if self._durable else ["--no-sync"])
            done = subprocess.run(
                [*_as(user), str(files.program("initdb")), *arguments],
                cwd="/", capture_output=True, text=True, check=False,
            )  # fmt: skip
        if done.returncode != 0:
            raise StackError(f"initdb failed in {self.cluster}.", got=done.stderr.strip()[-500:])

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._patience_seconds
        while not self.is_serving():
            ended = self._launched is not None and self._launched.poll() is not None
            if ended or time.monotonic() > deadline:
                tail = self.log.read_text(errors="replace")[-500:]
                how = "ended" if ended else f"did not come up in {self._patience_seconds:.0f} s"
                raise StackError(f"Postgres in {self.data_dir} {how} while it started.", got=tail)
            time.sleep(0.02)


def _as(user: str | None) -> list[str]:
    return [] if user is None else ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
