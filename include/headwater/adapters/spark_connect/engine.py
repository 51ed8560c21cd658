"""Runs a JobSpec in a process that talks to the shared Connect server, and reads its JobResult."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from headwater.adapters.connections.masking import masking_key
from headwater.adapters.job_folders import job_folder
from headwater.adapters.spark_connect.job_process import JobProcess
from headwater.adapters.spark_connect.server import ConnectServer
from headwater.adapters.spark_connect.server_state import is_process
from headwater.domain.errors import EngineError
from headwater.domain.job import JobResult, JobSpec
from headwater.domain.masking import MASKING_VARIABLE
from headwater.domain.settings import Settings
from headwater.ports.connections import Connections

REMOTE_VARIABLE = "HEADWATER_SPARK_REMOTE"
ENGINE_SILENT_EXIT = 75
"""Exit status of a job whose server took the connection and never answered."""
_WATCH_SECONDS = 1.0
_QUIET = {"SODA_CORE_TELEMETRY_ENABLED": "false", "DATAHUB_TELEMETRY_ENABLED": "false"}

logger = logging.getLogger(__name__)


@dataclass
class ConnectEngine:
    """``ports.engine.SparkEngine`` over the local Connect server of ``settings.home``."""

    settings: Settings
    connections: Connections | None = None
    """Where the masking key of tables with ``mask: hash`` comes from."""
    _child: JobProcess | None = field(default=None, init=False, repr=False)

    @property
    def server(self) -> ConnectServer:
        return ConnectServer(self.settings)

    def run(self, job: JobSpec) -> JobResult:
        """See the port. The job ends with its caller, however that ends (``job_forks``)."""
        folder = job_folder(self.settings, job)
        result = folder / "result.json"
        result.unlink(missing_ok=True)
        with self.server.used() as remote:
            code, tail = self._run_process(folder, remote, self._masking(job))
        if code == ENGINE_SILENT_EXIT:
            self.server.stop()  # it holds its port and answers nobody: the next job starts another
        return _read_result(result, code, tail, self.server)

    def cancel(self) -> None:
        """End the running job, if any. What it already sent to the server may still commit to its own branch."""
        if self._child is not None:
            self._child.end()

    def _masking(self, job: JobSpec) -> dict[str, str]:
        """The masking key, by environment only, of a job that masks. :raises ConnectionMissingError: without one."""
        if self.connections is None or not job.masks:
            return {}
        key = masking_key(self.connections, self.settings.masking_connection)
        return {MASKING_VARIABLE: json.dumps({"version": key.version, "key": key.key.get_secret_value()})}

    def _run_process(self, folder: Path, remote: str, secrets: Mapping[str, str]) -> tuple[int, str]:
        files, ended = self.server.files, threading.Event()
        arguments = ["--job", str(folder / "job.json"), "--result", str(folder / "result.json")]
        own = {**_QUIET, **secrets, REMOTE_VARIABLE: remote, "TMPDIR": str(files.folder / "tmp")}
        child = JobProcess(files.jobs, arguments, {**os.environ, **own})
        self._child = child
        threading.Thread(target=self._end_with_server, args=(child, ended), daemon=True).start()
        tail: deque[str] = deque(maxlen=20)
        try:
            reader = threading.Thread(target=_log_lines, args=(child.stderr, logging.DEBUG, tail))
            reader.start()
            _log_lines(child.stdout, logging.INFO, None)
            reader.join()
            return child.wait(), " | ".join(tail).replace(remote.rpartition("token=")[2], "***")
        finally:
            ended.set()
            child.close()
            self._child = None

    def _end_with_server(self, child: JobProcess, ended: threading.Event) -> None:
        """End the job soon after its server died: the client would go on trying for many minutes."""
        state = self.server.files.read_state()
        while state is not None and not ended.wait(_WATCH_SECONDS):
            if not is_process(state.pid, state.started):
                child.end()
                return


def _log_lines(stream: Iterable[str], level: int, keep: deque[str] | None) -> None:
    for line in stream:
        text = line.rstrip()
        if keep is not None:
            keep.append(text)
        if text:
            logger.log(level, "%s", text)


def _read_result(path: Path, code: int, tail: str, server: ConnectServer) -> JobResult:
    if code == 0 and path.exists():
        try:
            return JobResult.model_validate_json(path.read_text())
        except ValidationError as error:
            raise EngineError("the Spark job wrote a result nobody can read", got=str(error)[:500]) from error
    down = server.state() is None
    raise EngineError(
        "the Spark engine died at work" if down else "the Spark job ended without a result",
        got=f"exit status {code}: {tail[-600:]}",
        remedy=f"Run again: a new server starts by itself. If it repeats, read {server.files.log}.",
        facts={"exit_status": str(code), "log": str(server.files.log)},
    )
