"""``make demo`` as a newcomer runs it: the real scheduler, the analyst's login, and nothing left when it stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

ROOT = Path(__file__).parents[2]
HEADWATER = (str(Path(sys.executable).with_name("headwater")),)
READY_SECONDS = 900.0
pytestmark = pytest.mark.timeout(1500)


class Demo:
    """A demo serving in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home / "demo.log"
        self.environ = {**os.environ, "HEADWATER_HOME": str(home), "HEADWATER_USER": "newcomer"}
        self.environ.pop("HEADWATER_PROFILE", None)
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [*HEADWATER, "demo", "serve"],
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_serving(self) -> str:
        """Its Airflow's address, once gold is released."""
        deadline = time.monotonic() + READY_SECONDS
        while "Serving until Ctrl-C" not in self.text():
            assert self.process.poll() is None, self.text()[-4000:]
            assert time.monotonic() < deadline, self.text()[-4000:]
            time.sleep(1)
        return next(word for word in self.text().split() if word.startswith("http://127.0.0.1:"))

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A ``headwater`` command on this home."""
        command = [*HEADWATER, *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=120, check=False
        )

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


@pytest.fixture
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("demo"))
    yield made
    made.stop()


def session(address: str, user: str) -> httpx.Client:
    """A client logged in as one of the demo's users."""
    token = httpx.post(f"{address}/auth/token", json={"username": user, "password": user}, timeout=30)
    headers = {"Authorization": f"Bearer {token.json()['access_token']}"}
    return httpx.Client(base_url=address, headers=headers, timeout=30)


def test_the_demo_releases_gold_and_lets_an_analyst_trigger_only(demo: Demo) -> None:
    address = demo.wait_until_serving()

    # the numbers were proved against SQL over the source, or the demo would have said so
    assert "✗" not in demo.text(), demo.text()[-4000:]
    asked = demo.command("query", "select sum(flights) as n from gold.flights.daily_departures", "--json")
    assert '"n": 27004' in asked.stdout, asked.stderr
    assert demo.command("incidents", "--json").stdout.strip() == "[]"

    with session(address, "analyst") as analyst:
        body = {"logical_date": None, "conf": {"dry_run": True, "reason": "how much is there?"}}
        started = analyst.post("/api/v2/dags/flights/dagRuns", json=body)
        assert started.status_code == 200, started.text
        run_id = started.json()["dag_run_id"]
        refused = analyst.post(
            "/api/v2/dags/flights/dagRuns", json={"logical_date": None, "conf": {"tables": ["evil"]}}
        )
        assert 400 <= refused.status_code < 500
        run = f"/api/v2/dags/flights/dagRuns/{run_id}"
        forbidden = {
            "pause": analyst.patch("/api/v2/dags/flights", json={"is_paused": True}),
            "clear": analyst.post(f"{run}/clear", json={"dry_run": False}),
            "mark": analyst.patch(run, json={"state": "failed"}),
            "connections": analyst.get("/api/v2/connections"),
            "variables": analyst.get("/api/v2/variables"),
            "config": analyst.get("/api/v2/config"),
            "audit log": analyst.get("/api/v2/eventLogs"),
        }
        assert {what: answer.status_code for what, answer in forbidden.items()} == dict.fromkeys(forbidden, 403)
        assert httpx.get(f"{address}/headwater/", timeout=30).status_code == 401
        deadline = time.monotonic() + 300
        while (state := analyst.get(run).json()["state"]) not in {"success", "failed"}:
            assert time.monotonic() < deadline, state
            time.sleep(1)
        assert state == "success"

    demo.stop()
    assert "Traceback" not in demo.text()
    assert demo.processes() == []
    assert (
        '"n": 27004'
        in demo.command("query", "select sum(flights) as n from gold.flights.daily_departures", "--json").stdout
    )
    assert demo.processes() == []
