"""A real HTTP server that runs jobs, and one that answers as Azure Data Factory does; both misbehave on request."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "s3cr3t-of-the-service"


@dataclass
class JobService:
    """What the service holds, and how it misbehaves.

    :param jobs: id -> the document it tells of a job.
    :param started: bodies of the calls that started a job, and their headers.
    :param refuse: part of a path -> status it is answered with, and headers.
    :param lose: answers to start calls that are cut off after the job was started.
    """

    port: int = 0
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    started: list[tuple[dict[str, Any], dict[str, str]]] = field(default_factory=list)
    refuse: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    lose: int = 0
    deduplicates: bool = False
    on_start: Callable[[dict[str, Any]], None] | None = None

    def start(self, body: dict[str, Any], headers: dict[str, str]) -> str:
        key = body.get("key") or body.get("headwater_key")
        if self.deduplicates:
            for number, job in self.jobs.items():
                if job["key"] == key:
                    return number
        self.started.append((body, headers))
        number = f"job-{len(self.started)}"
        self.jobs[number] = {"id": number, "key": key, "status": "running", "parameters": body}
        if self.on_start is not None:
            self.on_start(body)
        return number

    def end(self, status: str = "succeeded", message: str = "") -> None:
        for job in self.jobs.values():
            job |= {"status": status, "message": message}


class _Handler(BaseHTTPRequestHandler):
    service: JobService

    def log_message(self, *arguments: object) -> None:
        """Quiet: the tests look at what the service holds."""

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        form = self.headers.get("Content-Type", "").startswith("application/x-www-form")
        self._answer(parse_qs(content.decode()) if form else json.loads(content or b"{}"))

    def _answer(self, body: Any) -> None:
        path, service = urlsplit(self.path).path, self.service
        for part, (status, headers) in service.refuse.items():
            if part in path:
                self._send(status, {"error": f"no: {TOKEN}"}, headers)
                return
        if path.endswith("/token"):
            self._send(200, {"access_token": "token-of-azure"})
            return
        if self.headers.get("Authorization") not in (f"Bearer {TOKEN}", "Bearer token-of-azure"):
            self._send(401, {"error": "who are you?"})
            return
        if body is not None and (path == "/jobs" or path.endswith("/createRun")):
            number = service.start(body, dict(self.headers))
            if service.lose:
                service.lose -= 1
                self.close_connection = True
                return
            self._send(202, {"id": number, "runId": number})
            return
        self._look(path)

    def _look(self, path: str) -> None:
        jobs = self.service.jobs
        if path.endswith("/queryPipelineRuns"):
            found = [{"runId": number, "parameters": job["parameters"]} for number, job in jobs.items()]
            self._send(200, {"value": found})
        elif path == "/jobs":
            wanted = parse_qs(urlsplit(self.path).query)["key"][0]
            self._send(200, [job for job in jobs.values() if job["key"] == wanted])
        else:
            match = re.search(r"/(?:jobs|pipelineruns)/([^/]+)$", path)
            job = jobs.get(match[1]) if match else None
            self._send(200 if job else 404, job or {})

    def _send(self, status: int, document: Any, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving() -> Iterator[JobService]:
    service = JobService()
    handler = type("Handler", (_Handler,), {"service": service})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
