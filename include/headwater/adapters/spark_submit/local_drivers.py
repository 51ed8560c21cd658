"""Drivers that spark-submit keeps on this machine: processes that outlive the task which started them."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import psutil

from headwater.adapters.connections.masking import masking_key
from headwater.adapters.embedded.jars import ensure_jars, jars_for, pyspark_home
from headwater.adapters.embedded.java import find_java
from headwater.adapters.job_folders import job_folder
from headwater.adapters.spark_applications.applications import Application, ApplicationState
from headwater.adapters.spark_applications.arguments import driver_arguments
from headwater.adapters.spark_applications.exchange import Exchange
from headwater.adapters.spark_connect.server_config import render_properties, write_private
from headwater.adapters.spark_connect.server_state import is_process
from headwater.adapters.spark_submit.submitting import submit_command, submit_properties
from headwater.domain.errors import EngineError
from headwater.domain.job import JobSpec
from headwater.domain.masking import MASKING_VARIABLE
from headwater.domain.settings import Settings
from headwater.ports.connections import Connections

_STOP_PATIENCE_SECONDS = 20.0
_TAIL_LINES = 20
_TAIL_CHARACTERS = 300


@dataclass
class LocalDrivers:
    """``Applications`` by spark-submit. With ``deploy_mode: cluster`` the process only follows the driver."""

    settings: Settings
    connections: Connections | None = None
    starts_once: ClassVar[bool] = False
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict, init=False, repr=False)
    _read: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def start(self, job: JobSpec, exchange: Exchange) -> Application:
        """See the port. The process is its own session: it goes on when the task is killed."""
        folder = job_folder(self.settings, job)
        masking = self._masking(job)
        properties = folder / "spark.properties"
        made = submit_properties(self.settings, job, exchange.key, self._jars(), masking)
        write_private(properties, render_properties(made))
        command = submit_command(
            pyspark_home(), properties, entrypoint(), driver_arguments(self.settings, exchange, job.attempt)
        )
        java = find_java(folder.parent / "java", configured=self.settings.spark.java_home)
        secret = {} if masking is None else {MASKING_VARIABLE: masking}
        with (folder / "driver.out").open("wb") as out, (folder / "driver.log").open("wb") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                cwd=folder,
                env={**_environment(), **secret, "JAVA_HOME": str(java.path), "PYSPARK_PYTHON": sys.executable},
                start_new_session=True,
            )
        started = psutil.Process(child.pid).create_time()
        self._children[str(child.pid)] = child
        return {"host": socket.gethostname(), "pid": str(child.pid), "started": repr(started), "folder": str(folder)}

    def look(self, application: Application) -> ApplicationState:
        """See the port. A driver of another machine cannot be seen from here; it ends by itself when another begins."""
        if application["host"] != socket.gethostname():
            return ApplicationState("gone", f"it was started on {application['host']}")
        pid, child = int(application["pid"]), self._children.get(application["pid"])
        status = child.poll() if child is not None else None
        if status is None and is_process(pid, float(application["started"])):
            return ApplicationState("running")
        path, log = (Path(application["folder"]) / name for name in ("driver.out", "driver.log"))
        if child is None and not log.exists():
            return ApplicationState("gone", "this machine knows nothing of it")
        known = "unknown" if status is None else str(status)
        facts = {"log": str(log)} | ({} if status is None else {"exit_status": known})
        return ApplicationState("ended", f"exit status {known}: {_tail(log)} | {_tail(path)}", facts)

    def told(self, application: Application) -> Sequence[str]:
        """See the port: a line per table."""
        path = Path(application["folder"]) / "driver.out"
        if not path.exists():
            return ()
        with path.open("rb") as file:
            file.seek(self._read.get(application["pid"], 0))
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read[application["pid"]] = self._read.get(application["pid"], 0) + len(whole) + len(newline)
        return whole.decode(errors="replace").splitlines()

    def let_end(self, application: Application) -> Sequence[str]:
        """See the port."""
        self._end(application, at_once=False)
        return self.told(application)

    def stop(self, application: Application) -> None:
        """See the port."""
        self._end(application, at_once=True)

    def _end(self, application: Application, *, at_once: bool) -> None:
        pid, child = int(application["pid"]), self._children.pop(application["pid"], None)
        is_here = application["host"] == socket.gethostname()
        if is_here and is_process(pid, float(application["started"])):
            _end_process(psutil.Process(pid), at_once=at_once)
        if child is not None:
            child.wait()
        if is_here:  # it holds the catalog's password
            (Path(application["folder"]) / "spark.properties").unlink(missing_ok=True)

    def _jars(self) -> tuple[Path, ...]:
        return ensure_jars(Path(self.settings.spark.jars), jars_for(self.settings.catalog.warehouse))

    def _masking(self, job: JobSpec) -> str | None:
        """The masking key of a job that masks. :raises ConnectionMissingError: without one."""
        if self.connections is None or not job.masks:
            return None
        key = masking_key(self.connections, self.settings.masking_connection)
        return json.dumps({"version": key.version, "key": key.key.get_secret_value()})


def _end_process(process: psutil.Process, *, at_once: bool) -> None:
    """End a driver with its Python, which Spark starts below it."""
    family = [process]
    with suppress(psutil.NoSuchProcess):
        family += process.children(recursive=True)
    if not at_once:
        family = psutil.wait_procs(family, _STOP_PATIENCE_SECONDS)[1]
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for member in family:
            with suppress(psutil.NoSuchProcess):  # one that ended by itself leaves the others to end
                end(member)
        family = psutil.wait_procs(family, _STOP_PATIENCE_SECONDS)[1]


def entrypoint() -> Path:
    """The driver's program, found without importing it.

    :raises EngineError: when the package is not installed.
    """
    found = importlib.util.find_spec("headwater_spark.entrypoints")
    if found is None or found.origin is None:
        raise EngineError("headwater_spark is not installed", remedy="Install the extra `headwater[spark]`.")
    return Path(found.origin).with_name("run_application.py")


def _environment() -> dict[str, str]:
    """This process's, without what a Connect client leaves in it: the driver would become one, too."""
    left = ("SPARK_REMOTE", "SPARK_LOCAL_REMOTE", "SPARK_CONNECT_MODE", "SPARK_CONNECT_MODE_ENABLED")
    return {name: value for name, value in os.environ.items() if name not in left}


def _tail(log: Path) -> str:
    """The end of what Java (``driver.log``) or Python (``driver.out``, its errors included) said."""
    if not log.exists():
        return ""
    return " | ".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])[-_TAIL_CHARACTERS:]
