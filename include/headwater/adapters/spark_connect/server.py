"""One local Spark Connect server per home folder, started on demand and shared by all its processes."""

from __future__ import annotations

import fcntl
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from headwater.adapters.embedded.jars import ensure_jars, jars_for, pyspark_home
from headwater.adapters.embedded.java import find_java
from headwater.adapters.java_trust import TRUST_STORE, write_trust_store
from headwater.adapters.spark_connect import keeper as keeper_module
from headwater.adapters.spark_connect.server_config import (
    POOLS,
    render_properties,
    server_properties,
    write_private,
)
from headwater.adapters.spark_connect.server_state import (
    ServerFiles,
    ServerState,
    free_port,
    is_process,
    locked,
    port_answers,
)
from headwater.domain.errors import EngineError
from headwater.domain.settings import Settings

START_TIMEOUT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class ConnectServer:
    """The server of ``settings.home``. Making one of these starts nothing."""

    settings: Settings

    @property
    def files(self) -> ServerFiles:
        return ServerFiles(Path(self.settings.home).absolute() / "spark")

    @contextmanager
    def used(self) -> Iterator[str]:
        """The server's remote address with its token, for as long as the block runs; started when it does not run.

        Hand the address on by environment only: it holds the token.

        :raises EngineError: when it does not start.
        """
        self.files.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.files.users_lock, fcntl.LOCK_SH):
            state = self._running_or_started()
            token = self.files.token.read_text()
            # anything but the literal localhost makes the client demand TLS as soon as there is a token
            yield f"sc://localhost:{state.port}/;token={token}"

    def state(self) -> ServerState | None:
        """The living server that jobs can be started for, or None."""
        state = self.files.read_state()
        return state if state is not None and state.is_alive() and self.files.jobs.exists() else None

    def stop(self, timeout_seconds: float = 20.0) -> None:
        """Stop the server and its keeper by id and wait until both are gone; does nothing when none runs."""
        state = self.files.read_state()
        if state is None:
            return
        if is_process(state.pid, state.started):
            _end(state.keeper_pid if _keeps(state) else state.pid, timeout_seconds)
            _end(state.pid, timeout_seconds)
        self.files.state.unlink(missing_ok=True)

    def _running_or_started(self) -> ServerState:
        with locked(self.files.start_lock):
            state = self.state()
            if state is not None:
                return state
            self.stop()
            return self._start()

    def _start(self) -> ServerState:
        files, port, token = self.files, free_port(), secrets.token_urlsafe(32)
        java = find_java(files.folder / "java", configured=self.settings.spark.java_home)
        jars = ensure_jars(Path(self.settings.spark.jars), jars_for(self.settings.catalog.warehouse))
        (files.folder / "tmp").mkdir(exist_ok=True)
        (files.folder / "pools.xml").write_text(POOLS)
        s3 = self.settings.catalog.s3
        if s3 is not None and s3.ca_file is not None:
            write_trust_store(java.path, Path(s3.ca_file), files.folder / TRUST_STORE)
        write_private(files.token, token)
        properties = server_properties(self.settings, port, token, files.folder, jars)
        write_private(files.properties, render_properties(properties))
        idle = str(self.settings.spark.idle_stop.total_seconds())
        command = [
            sys.executable,
            "-m",
            keeper_module.__name__,
            str(files.folder),
            str(pyspark_home()),
            idle,
            str(port),
        ]
        files.log.write_bytes(b"")  # of this start alone; keeper and driver both write to its end
        with files.log.open("ab") as log:
            keeper = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, "JAVA_HOME": str(java.path), "SPARK_LOCAL_IP": "127.0.0.1"},
                start_new_session=True,
            )
        # reaps it whenever it ends, which may be long after its starter forgot it
        threading.Thread(target=keeper.wait, daemon=True).start()
        return self._wait_until_ready(keeper, port)

    def _wait_until_ready(self, keeper: subprocess.Popen[bytes], port: int) -> ServerState:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline and keeper.poll() is None:
            state = self.files.read_state()
            if state is not None and state.port == port and port_answers(port):
                return state
            time.sleep(0.1)
        tail = self.files.log.read_text(errors="replace").splitlines()[-5:] if self.files.log.exists() else []
        self.stop()
        raise EngineError(
            "the Spark Connect server did not start",
            got=" | ".join(tail)[-800:],
            remedy=f"Read {self.files.log}; `headwater doctor` checks Java, memory and jars.",
            facts={"log": str(self.files.log)},
        )


def _keeps(state: ServerState) -> bool:
    try:
        return psutil.Process(state.pid).ppid() == state.keeper_pid
    except psutil.NoSuchProcess:
        return False


def _end(pid: int, timeout_seconds: float) -> None:
    try:
        process = psutil.Process(pid)
        process.terminate()
        try:
            process.wait(timeout_seconds)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(timeout_seconds)
    except psutil.NoSuchProcess:
        return
