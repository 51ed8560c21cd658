"""Everything on one machine: Postgres for every command, and Airflow with a mailbox while the demo serves."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from pydantic import SecretStr

from headwater.adapters.connections.file import write_connections
from headwater.adapters.embedded.airflow_components import EmbeddedAirflow
from headwater.adapters.embedded.airflow_environment import LOGINS, AirflowPlace
from headwater.adapters.embedded.bare_repository import BareRepository
from headwater.adapters.embedded.jars import jar_cache
from headwater.adapters.embedded.kept import KeptProcess
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.embedded.postgres_files import kept_port
from headwater.adapters.profile import write_profile
from headwater.domain.errors import StackError
from headwater.domain.settings import AirflowSettings, AlertSettings, CatalogSettings, Settings, SparkSettings

DATABASES = ("airflow", "catalog", "headwater", "source")
PORTS = ("airflow", "smtp", "slack")


class EmbeddedStack:
    """The embedded default of every part, in one home folder.

    Used as a context it is Postgres with all databases and the profile, which is what a command needs; it joins the
    one that runs, and stops it when it is the last user. ``serve`` adds Airflow.
    """

    def __init__(self, home: Path, repository: Path) -> None:
        self.home = home.resolve()
        self.repository = repository.resolve()
        self.backups = self.home / "backup" / "base"
        self.postgres = EmbeddedPostgres(self.home / "postgres", archive=self.home / "backup" / "wal")
        self.clock_file = self.home / "clock"
        self.mailbox = self.home / "mailbox"
        self.connections_file = self.home / "connections.env"
        self.pushed = BareRepository(self.home / "git" / "dags.git")

    def __enter__(self) -> Self:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "run").mkdir(exist_ok=True)
        self.postgres.start()
        self.postgres.create_databases(DATABASES)
        write_profile(self.settings(), self.profile)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.postgres.stop()

    @property
    def profile(self) -> Path:
        return self.home / "profile.yaml"

    @property
    def airflow_url(self) -> str:
        return f"http://127.0.0.1:{self._port('airflow')}"

    def settings(self) -> Settings:
        """The embedded profile. While no demo has set a clock, freshness goes by the real one."""
        return Settings(
            home=str(self.home),
            repository=str(self.repository),
            installation="embedded",
            run_store=SecretStr(self.postgres.url("headwater", "psycopg")),
            catalog=CatalogSettings(
                uri=SecretStr(self.postgres.url("catalog", "psycopg")),
                jdbc_uri=f"jdbc:postgresql://127.0.0.1:{self.postgres.port}/catalog",
                jdbc_user="postgres",
                jdbc_password=SecretStr(self.postgres.password),
                warehouse=str(self.home / "warehouse"),
            ),
            spark=SparkSettings(jars=str(jar_cache())),
            alerts=AlertSettings(channels=("console", "email", "slack")),
            airflow=AirflowSettings(base_url=self.airflow_url, password=SecretStr(LOGINS["admin"])),
            connections_file=str(self.connections_file),
            clock_file=str(self.clock_file) if self.clock_file.exists() else None,
            start_unpaused=True,
        )

    def write_connections(self, connections: dict[str, str]) -> None:
        """Write ``ID=URI`` lines in a file only we can read; ids that are not named keep theirs."""
        write_connections(self.connections_file, connections)

    def alert_connections(self) -> dict[str, str]:
        """Connections of the local mailbox and the local Slack."""
        return {
            "headwater_smtp": f"smtp://127.0.0.1:{self._port('smtp')}?disable_ssl=true&disable_tls=true",
            "headwater_slack": f"slackwebhook://:local@127.0.0.1:{self._port('slack')}/http",
        }

    @contextmanager
    def serve(self, say: Callable[[str], None]) -> Iterator[None]:
        """Airflow and the mailbox until the block ends; inside the stack's own context.

        :raises StackError: when another process serves this home already, or a component does not come up.
        """
        with (self.home / "run" / "serving").open("ab") as serving:
            try:
                fcntl.flock(serving, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                remedy = "Use that one, or stop it with Ctrl-C or `make demo-stop` first."
                raise StackError(f"A demo is being served already at {self.airflow_url}.", remedy=remedy) from None
            serving.truncate(0)
            serving.write(f"{os.getpid()} {psutil.Process().create_time()}".encode())
            serving.flush()
            for name in PORTS:
                kept_port(self.home / "run" / f"{name}.port", None)
            self.write_connections(self.alert_connections())
            write_profile(self.settings(), self.profile)
            if self.pushed.is_possible():
                self.pushed.ensure()
            airflow = EmbeddedAirflow(self._airflow_place())
            mailbox = self._mailbox_process()
            try:
                mailbox.start()
                airflow.start(say)
                yield
            finally:
                mailbox.let_go()
                airflow.stop()
                mailbox.wait_until_gone()

    def is_serving(self) -> bool:
        """Whether some process serves this home."""
        path = self.home / "run" / "serving"
        if not path.exists():
            return False
        with path.open("rb") as probe:
            try:
                fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def stop_serving(self, timeout_seconds: float = 90.0) -> bool:
        """Ask the process that serves this home to stop, as Ctrl-C does, and wait until it has ended.

        :return: whether there was one.
        :raises StackError: when it has not ended in time.
        """
        if not self.is_serving():
            return False
        pid, started = (self.home / "run" / "serving").read_text().split()
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(int(pid))
            if process.create_time() == float(started):
                process.terminate()  # not SIGINT, which what a script started in the background ignores
                try:
                    # it lets go of the lock while its Spark and its Postgres are still stopping
                    process.wait(timeout_seconds)
                except psutil.TimeoutExpired:
                    remedy = f"Look at what process {pid} is doing, or stop it: kill {pid}"
                    raise StackError(f"The demo did not stop in {timeout_seconds:.0f} s.", remedy=remedy) from None
        return True

    def _airflow_place(self) -> AirflowPlace:
        url = self.postgres.url("airflow")
        pushed = self.pushed.folder if self.pushed.is_possible() else None
        return AirflowPlace(self.home, self.repository, self._port("airflow"), url, pushed)

    def _mailbox_process(self) -> KeptProcess:
        ports = [str(self._port("smtp")), str(self._port("slack"))]
        command = [sys.executable, "-m", "headwater.adapters.embedded.mailbox", *ports, str(self.mailbox)]
        return KeptProcess("mailbox", command, self.home / "run", self.home / "logs" / "mailbox.log")

    def _port(self, name: str) -> int:
        remembered = self.home / "run" / f"{name}.port"
        return int(remembered.read_text()) if remembered.exists() else kept_port(remembered, None)
