"""Airflow's four components, started by us: `airflow standalone` forces its own login manager and leaves processes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from headwater.adapters.embedded.airflow_environment import AirflowPlace, airflow_environment
from headwater.adapters.embedded.kept import KeptProcess
from headwater.domain.errors import StackError

HEALTHY_SECONDS = 600.0
COMPONENTS = {
    "api-server": ("api-server",),
    # one machine, one log folder: nobody has to serve logs to anybody, on ports open to the network
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}


class EmbeddedAirflow:
    """Scheduler, DAG processor, triggerer and API server, each alive while we are."""

    def __init__(self, place: AirflowPlace) -> None:
        self.place = place
        self._environ = airflow_environment(place)
        self._components = [
            KeptProcess(
                name=name,
                command=[sys.executable, "-m", "airflow", *arguments],
                folder=place.home / "run",
                log=place.home / "logs" / f"airflow-{name}.log",
                environ=self._environ,
                working_folder=place.repository,
            )
            for name, arguments in COMPONENTS.items()
        ]

    def start(self, say: Callable[[str], None] = lambda _: None) -> None:
        """Migrate the database, start the components and wait until all report healthy.

        :raises StackError: naming the component that is not, and its log.
        """
        (self.place.home / "run").mkdir(parents=True, exist_ok=True)
        say("migrating Airflow's database")
        self._migrate()
        say("starting Airflow's components")
        for component in self._components:
            component.start()
        self._wait_until_healthy(say)

    def stop(self) -> None:
        """Stop all components at once, and wait until every descendant is gone."""
        for component in self._components:
            component.let_go()
        for component in self._components:
            component.wait_until_gone()

    def _migrate(self) -> None:
        log = self.place.home / "logs" / "airflow-migrate.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            command = [sys.executable, "-m", "airflow", "db", "migrate"]
            done = subprocess.run(
                command, env=self._environ, stdout=output, stderr=subprocess.STDOUT, check=False, start_new_session=True
            )
        if done.returncode != 0:
            raise StackError("Airflow's database could not be migrated.", got=_tail(log), remedy=f"Read {log}.")

    def _wait_until_healthy(self, say: Callable[[str], None]) -> None:
        deadline = time.monotonic() + HEALTHY_SECONDS
        told = ""
        while True:
            missing = self._unhealthy()
            if not missing:
                return
            dead = next((component for component in self._components if not component.is_running()), None)
            if dead is not None or time.monotonic() > deadline:
                log = dead.log if dead else self.place.home / "logs"
                got = _tail(log) if dead else ", ".join(missing)
                name = dead.name if dead else "A component"
                raise StackError(f"Airflow: {name} did not come up.", got=got, remedy=f"Read {log}.")
            if (now := f"waiting for {', '.join(missing)}") != told:
                say(now)
                told = now
            time.sleep(0.3)

    def _unhealthy(self) -> list[str]:
        try:
            health = httpx.get(f"{self.place.base_url}/api/v2/monitor/health", timeout=5).json()
        except (httpx.TransportError, ValueError):
            return ["api-server"]
        wanted = ("scheduler", "dag_processor", "triggerer")
        return [name for name in wanted if health.get(name, {}).get("status") != "healthy"]


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-800:] if log.is_file() else ""
