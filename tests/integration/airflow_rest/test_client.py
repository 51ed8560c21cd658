"""Requests to Airflow's REST API, against a real HTTP server that answers in Airflow 3.3's shapes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from headwater.adapters.airflow_rest import DagVersion, Deployments, RestAirflowApi, RestRunStates, unwell
from headwater.domain.errors import AirflowDownError, NotFoundError, RequestError
from headwater.domain.run import RunKey
from headwater.domain.settings import AirflowSettings

RUN = {
    "dag_id": "flights",
    "dag_run_id": "manual__2026-11-21T12:00:00+00:00",
    "state": "failed",
    "run_type": "manual",
    "queued_at": "2026-11-21T12:00:00Z",
    "start_date": None,
    "end_date": None,
    "bundle_version": "c0ffee",
}
VERSIONS = [
    {"version_number": number, "bundle_name": "pushed", "bundle_version": commit}
    for number, commit in ((2, "b2"), (1, "a1"))
]
DEPLOYMENTS: dict[str, tuple[int, dict[str, Any] | None]] = {
    "/parseDagFile/": (201, None),
    "/dagVersions": (200, {"dag_versions": VERSIONS}),
    "/details": (200, {"file_token": "signed/token"}),
    "/importErrors": (200, {"import_errors": [
        {"bundle_name": bundle, "filename": "refused.py", "stack_trace": f"1 file of {bundle} gives no DAG"}
        for bundle in ("dags-folder", "pushed")
    ]}),
}  # fmt: skip
REFUSALS: dict[str, tuple[int, dict[str, Any] | None]] = {
    "/dags/missing": (404, {"detail": "no such DAG"}),
    "/dags/broken": (500, {"detail": "broken"}),
    "/dags/picky": (400, {"detail": "Invalid input for param rebuild: 'x' is not one of ['y']\n\nFailed validating"}),
}
TASK = {
    "task_id": "preflight",
    "map_index": -1,
    "try_number": 1,
    "state": "failed",
    "queued_when": None,
    "start_date": None,
    "end_date": None,
}


class AirflowServer(ThreadingHTTPServer):
    """Remembers requests; the first token it gives has expired."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str, Any]] = []
        self.tokens = 0
        self.password = "admin"


class _Handler(BaseHTTPRequestHandler):
    server: AirflowServer

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body: Any = json.loads(self.rfile.read(length)) if length else None
        if self.path == "/auth/token":
            self.server.tokens += 1
            right = body["password"] == self.server.password
            self._reply(201 if right else 401, {"access_token": f"token{self.server.tokens}"} if right else {})
        elif self.path.endswith("/monitor/health"):  # the only answer that needs no token
            parts = {"metadatabase": "healthy", "scheduler": "unhealthy", "triggerer": None}
            self._reply(200, {name: {"status": status} for name, status in parts.items()})
        elif self.headers.get("Authorization") != "Bearer token2":
            self._reply(401, {"detail": "expired"})
        else:
            self.server.asked.append((self.command, self.path, body))
            self._reply(*_document(self.command, self.path))

    do_GET = do_POST = do_PUT = do_PATCH = _answer  # noqa: N815

    def _reply(self, status: int, document: dict[str, Any] | None) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Silent."""


def _document(method: str, path: str) -> tuple[int, dict[str, Any] | None]:
    for part, answer in {**REFUSALS, **DEPLOYMENTS}.items():
        if part in path:
            return answer
    if "taskInstances" in path:
        page = 100 if "offset=0" in path else 5
        return 200, {"task_instances": [TASK] * page}
    if "clearTaskInstances" in path:
        return 200, {"task_instances": [TASK]}
    if path.endswith("/dags/flights") or method == "PATCH":
        return 200, {"is_paused": True, "has_import_errors": False}
    return 200, RUN if method == "POST" else {**RUN, "dag_runs": [RUN]}


@pytest.fixture
def server() -> Iterator[AirflowServer]:
    opened = AirflowServer()
    thread = threading.Thread(target=opened.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield opened
    opened.shutdown()
    opened.server_close()
    thread.join()


@pytest.fixture
def api(server: AirflowServer) -> Iterator[RestAirflowApi]:
    url = f"http://127.0.0.1:{server.server_port}/"
    opened = RestAirflowApi(AirflowSettings(base_url=url, password=SecretStr("admin")))
    yield opened
    opened.close()


def test_an_expired_token_is_renewed(api: RestAirflowApi, server: AirflowServer) -> None:
    state = api.dag("flights")
    assert state is not None
    assert state.is_paused
    assert server.tokens == 2


def test_parameters_that_a_form_refuses_are_the_requests_fault(api: RestAirflowApi) -> None:
    """Not Airflow's: it is well, and asking again helps nothing."""
    with pytest.raises(RequestError) as refused:
        api.trigger("picky", {"rebuild": ["x"]})
    assert refused.value.got == "Invalid input for param rebuild: 'x' is not one of ['y']"


def test_run_ids_are_escaped_and_tasks_read_page_by_page(api: RestAirflowApi, server: AirflowServer) -> None:
    (run,) = api.runs("flights", states=("failed", "running"))
    assert run.bundle_version == "c0ffee"
    assert len(api.tasks("flights", run.run_id)) == 105
    paths = [path for _, path, _ in server.asked]
    assert "state=failed&state=running" in paths[0]
    assert "/dagRuns/manual__2026-11-21T12%3A00%3A00%2B00%3A00/taskInstances" in paths[1]


def test_bodies_are_what_airflow_asks_for(api: RestAirflowApi, server: AirflowServer) -> None:
    api.trigger("flights", {"reason": "test"}, run_id="r1")
    assert api.clear("flights", "r1") == 1
    assert api.clear("flights", "r1", ["preflight"]) == 1
    api.unpause("flights")
    bodies = [body for _, _, body in server.asked]
    assert bodies[0] == {"logical_date": None, "conf": {"reason": "test"}, "dag_run_id": "r1"}
    assert bodies[1]["only_failed"] is True
    assert bodies[2]["task_ids"] == ["preflight"]
    assert bodies[2]["include_downstream"] is bodies[2]["run_on_latest_version"] is True
    assert bodies[3] == {"is_paused": False}


def test_what_is_served_of_which_commit(server: AirflowServer) -> None:
    deployments = Deployments(
        AirflowSettings(base_url=f"http://127.0.0.1:{server.server_port}", password=SecretStr("admin"))
    )
    newest = DagVersion(number=2, bundle="pushed", commit="b2")
    assert deployments.versions("flights")[0] == newest
    assert deployments.versions("missing") == ()
    assert deployments.import_errors("pushed") == {"refused.py": "1 file of pushed gives no DAG"}
    deployments.look_again("flights")
    deployments.pause("flights")
    asked = [(method, path) for method, path, _ in server.asked][-2:]
    assert asked[0] == ("PUT", "/api/v2/parseDagFile/signed%2Ftoken")
    assert server.asked[-1][2] == {"is_paused": True}
    with pytest.raises(NotFoundError, match="does not know"):
        deployments.look_again("missing")
    deployments.close()
    with pytest.raises(AirflowDownError, match="does not say where"):
        Deployments(AirflowSettings())


def test_parts_that_are_not_well_are_named(server: AirflowServer) -> None:
    """What `headwater doctor` says; an Airflow that is gone is a finding, too."""
    url = f"http://127.0.0.1:{server.server_port}"
    assert unwell(AirflowSettings(base_url=url)) == ("the scheduler is unhealthy",)
    assert unwell(AirflowSettings(base_url="http://127.0.0.1:1")) == ("the API server does not answer (ConnectError)",)


@pytest.mark.parametrize(("dag", "over"), [("flights", True), ("missing", True), ("broken", False)])
def test_a_run_is_over_when_airflow_says_so_or_does_not_know_it(server: AirflowServer, dag: str, over: bool) -> None:
    """Rule 23: the record of a killed run says "running" for ever; it counts where Airflow says nothing."""
    settings = AirflowSettings(base_url=f"http://127.0.0.1:{server.server_port}", password=SecretStr("admin"))
    key = RunKey(installation="i", dag_id=dag, run_id="r1")
    assert RestRunStates(settings, _Recorded(over=False)).is_terminal(key) is over
    for recorded in (True, False):
        assert RestRunStates(AirflowSettings(), _Recorded(over=recorded)).is_terminal(key) is recorded


class _Recorded:
    """What the run store's record says of every run."""

    def __init__(self, *, over: bool) -> None:
        self._over = over

    def is_terminal(self, run_key: RunKey) -> bool:
        return self._over


def test_what_is_missing_is_none_or_named(api: RestAirflowApi) -> None:
    assert api.dag("missing") is None
    with pytest.raises(NotFoundError, match="missing"):
        api.trigger("missing")


def test_a_refusal_and_no_answer_are_airflow_down(api: RestAirflowApi, server: AirflowServer) -> None:
    with pytest.raises(AirflowDownError, match="HTTP 500"):
        api.dag("broken")
    server.password = "changed"
    url = f"http://127.0.0.1:{server.server_port}"
    with pytest.raises(AirflowDownError, match="HTTP 401") as caught:
        RestAirflowApi(AirflowSettings(base_url=url, password=SecretStr("hunter2secret"))).dag("flights")
    assert "hunter2secret" not in str(caught.value)
    with pytest.raises(AirflowDownError, match="ConnectError"):
        RestAirflowApi(AirflowSettings(base_url="http://127.0.0.1:9")).dag("flights")
    with pytest.raises(AirflowDownError, match="does not say where"):
        RestAirflowApi(AirflowSettings())
