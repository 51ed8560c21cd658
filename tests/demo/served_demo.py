"""A demo as a newcomer starts it, and what one may do while it serves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import psycopg
from tests.demo.metrics_wire import MetricsWire

from headwater.adapters.embedded.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[2]
BUNDLE = ("dags", "sql", "include/contracts", "include/runbooks", "tests/sources")
"""What a Git bundle brings; the code is the installed distribution's."""
READY_SECONDS = 900.0


class Demo:
    """A demo serving a copy of the repository's files in a home of its own."""

    def __init__(self, home: Path, repository: Path) -> None:
        self.home = home
        self.repository = repository
        self.log = home / "demo.log"
        # no project is found from the copy upwards, so `uv run` takes the environment that is active: this one
        self.environ = {**os.environ, "HEADWATER_HOME": str(home), "HEADWATER_USER": "newcomer"}
        self.environ |= {"VIRTUAL_ENV": sys.prefix, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        self.metrics = MetricsWire()
        self.environ |= {"HEADWATER_STATSD": self.metrics.address}
        for name in ("HEADWATER_PROFILE", "HEADWATER_REPOSITORY"):
            self.environ.pop(name, None)
        for folder in BUNDLE:
            shutil.copytree(ROOT / folder, repository / folder, ignore=shutil.ignore_patterns("__pycache__"))
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                ["headwater", "demo", "serve"],
                cwd=repository,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_heed_interrupts,  # noqa: PLW1509 - the tests run no thread that forks
            )

        self.metrics.listen()

    @property
    def mailbox(self) -> Path:
        return self.home / "mailbox"

    @property
    def address(self) -> str:
        """Its Airflow's."""
        return next(word for word in self.text().split() if word.startswith("http://127.0.0.1:"))

    def wait_until_serving(self) -> None:
        """Until gold is released."""
        deadline = time.monotonic() + READY_SECONDS
        while "Serving until Ctrl-C" not in self.text():
            assert self.process.poll() is None, self.text()[-4000:]
            assert time.monotonic() < deadline, self.text()[-4000:]
            time.sleep(1)

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def shell(self, line: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A line as somebody would type it in the repository's folder."""
        return subprocess.run(
            ["/bin/bash", "-c", line],
            cwd=self.repository,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
            start_new_session=True,
        )

    def open_failures(self) -> list[str]:
        """Titles of open incidents; the note of a change that a table bears asks nobody to act."""
        found = json.loads(self.shell("uv run headwater incidents --json").stdout)
        return [incident["title"] for incident in found if incident["kind"] != "notice"]

    def source(self) -> psycopg.Connection:
        """The source's database, as its owner."""
        return psycopg.connect(EmbeddedPostgres(self.home / "postgres").url("source"), autocommit=True)

    def logged_in(self, user: str) -> httpx.Client:
        """A client of Airflow's API."""
        token = httpx.post(f"{self.address}/auth/token", json={"username": user, "password": user}, timeout=30)
        headers = {"Authorization": f"Bearer {token.json()['access_token']}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=30)

    def stop(self) -> None:
        """Ctrl-C."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(120)

    def processes(self) -> list[str]:
        """Command lines of living processes that name this home, in arguments or environment."""
        found = []
        for process in psutil.process_iter():
            try:
                told = " ".join(process.cmdline()) + " ".join(process.environ().values())
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            if process.pid != os.getpid() and str(self.home) in told:
                found.append(" ".join(process.cmdline())[:200])
        return found


def _heed_interrupts() -> None:
    """Undo what a shell does to commands it starts in the background: they would be deaf to the test's Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
