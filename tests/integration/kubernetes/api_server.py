"""The few paths of Kubernetes' REST API that SparkApplications need, over real HTTP, with an operator that is a list.

It refuses what the operator's schema refuses, and a name that is there, as the real one does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jsonschema

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads(
    (ROOT / "deploy" / "schemas" / "sparkoperator.k8s.io" / "sparkapplication_v1beta2.json").read_text()
)
APPLICATIONS = re.compile(r"/apis/sparkoperator\.k8s\.io/v1beta2/namespaces/([^/]+)/sparkapplications(?:/([^/?]+))?")
PODS = re.compile(r"/api/v1/namespaces/([^/]+)/pods/([^/?]+)(/log)?")
TOKEN = "token-of-the-worker"


@dataclass
class Cluster:
    """What the API server knows.

    :param states: what the operator makes of an application, one a look; the last stays.
    :param refuses: status and message of every request that makes something.
    """

    url: str = ""
    states: list[dict[str, Any]] = field(default_factory=lambda: [{"state": "RUNNING"}])
    pod: dict[str, Any] = field(default_factory=dict)
    log: str = ""
    refuses: tuple[int, str] | None = None
    applications: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    cut: int = 0
    """How many requests from now on end without an answer."""

    def post(self, namespace: str, manifest: dict[str, Any]) -> tuple[int, Any]:
        if self.refuses is not None:
            return self.refuses[0], self.refuses[1]
        name = manifest["metadata"]["name"]
        if (namespace, name) in self.applications:
            return 409, f'sparkapplications "{name}" already exists'
        errors = sorted(jsonschema.Draft202012Validator(SCHEMA).iter_errors(manifest), key=str)
        if errors:
            return 422, errors[0].message
        self.applications[namespace, name] = manifest
        self.made.append(name)
        return 201, manifest

    def get(self, namespace: str, name: str) -> tuple[int, Any]:
        found = self.applications.get((namespace, name))
        if found is None:
            return 404, f'sparkapplications "{name}" not found'
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return 200, found | {"status": {"applicationState": state, "driverInfo": {"podName": f"{name}-driver"}}}

    def delete(self, namespace: str, name: str) -> tuple[int, Any]:
        if self.applications.pop((namespace, name), None) is None:
            return 404, f'sparkapplications "{name}" not found'
        self.deleted.append(name)
        return 200, {"kind": "Status", "status": "Success"}


class Handler(BaseHTTPRequestHandler):
    """Takes a request apart and answers what ``cluster`` says."""

    cluster: Cluster

    def do_POST(self) -> None:
        self.answer("POST")

    def do_GET(self) -> None:
        self.answer("GET")

    def do_DELETE(self) -> None:
        self.answer("DELETE")

    def answer(self, method: str) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        if self.cluster.cut:
            self.cluster.cut -= 1
            self.close_connection = True
            return
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.send(401, "Unauthorized")
        elif found := APPLICATIONS.match(self.path):
            self.send(*self.of_application(method, found[1], found[2], body))
        elif (found := PODS.match(self.path)) and found[3]:
            self.send(200, self.cluster.log, "text/plain")
        elif found and self.cluster.pod:
            self.send(200, {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": found[2]}, **self.cluster.pod})
        else:
            self.send(404, f"{self.path} not found")

    def of_application(self, method: str, namespace: str, name: str, body: Any) -> tuple[int, Any]:
        if method == "POST":
            return self.cluster.post(namespace, body)
        return (self.cluster.get if method == "GET" else self.cluster.delete)(namespace, name)

    def send(self, status: int, body: Any, kind: str = "application/json") -> None:
        if status >= 400:
            body = {"kind": "Status", "status": "Failure", "code": status, "message": body}
        content = body.encode() if kind == "text/plain" else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing: the tests say what is wrong."""


@contextmanager
def api_server() -> Iterator[Cluster]:
    """Serve on a free port of loopback."""
    cluster = Cluster()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OwnHandler", (Handler,), {"cluster": cluster}))
    cluster.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield cluster
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
