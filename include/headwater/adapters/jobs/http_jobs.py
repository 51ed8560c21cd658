"""Jobs of any service with three calls over HTTP: start, state, and, if it has one, look-up by key."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from urllib.parse import quote

import httpx

from headwater.adapters.jobs.calls import LONGEST_DETAIL, JsonCalls, field_of
from headwater.domain.errors import ConnectionMalformedError
from headwater.domain.external import ExternalJob
from headwater.domain.job_errors import JobFailedError, JobUncertainError
from headwater.ports.connections import ConnectionInfo
from headwater.ports.jobs import JobRequest, RemoteJob


class _Bearer(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class HttpJobs:
    """A NiFi flow, a Camel route or a service of one's own behind HTTP."""

    def __init__(self, job: ExternalJob, connection: ConnectionInfo) -> None:
        self._job = job
        self._calls = JsonCalls(connection, base_of(connection), _auth(connection))

    def start(self, request: JobRequest) -> str:
        body = {**self._job.parameters, **request.model_dump(mode="json", exclude={"since"})}
        headers = {"Idempotency-Key": request.key}
        answer = self._calls.order("POST", self._job.start, "start the job", json=body, headers=headers)
        return self._id(answer)

    def find(self, request: JobRequest) -> str | None:
        if not self._job.find:
            if self._job.repeatable:
                return None
            raise self._uncertain("no `find` is declared, so the service cannot be asked")
        path = self._job.find.replace("{key}", quote(request.key, safe=""))
        answer = self._calls.ask("GET", path, "find the job")
        if isinstance(answer, list):
            if len(answer) > 1:
                raise self._uncertain(f"the service names {len(answer)} jobs of key {request.key}")
            answer = answer[0] if answer else None
        return None if answer is None else self._id(answer)

    def look(self, job_id: str) -> RemoteJob:
        path = self._job.status.replace("{id}", quote(job_id, safe=""))
        answer = self._calls.ask("GET", path, "tell the state of the job")
        if answer is None:
            raise JobFailedError(
                f"{self._calls.base} knows no job {job_id} any more",
                got="HTTP 404",
                remedy="Look where the job runs; start a new run, which starts a job of its own.",
                facts={**self._calls.facts, "job": job_id},
            )
        state, message = field_of(answer, self._job.status_field), field_of(answer, self._job.message_field)
        said = ": ".join(str(part) for part in (state, message) if part not in (None, ""))[:LONGEST_DETAIL]
        for name, words in (("running", self._job.running), ("succeeded", self._job.succeeded)):
            if str(state).lower() in {word.lower() for word in words}:
                return RemoteJob(id=job_id, state=name, said=said)
        if str(state).lower() in {word.lower() for word in self._job.failed}:
            return RemoteJob(id=job_id, state="failed", said=said)
        raise JobFailedError(
            f"job {job_id} is in a state that the YAML does not know: {state}",
            got=said,
            allowed=", ".join((*self._job.running, *self._job.succeeded, *self._job.failed)),
            remedy="Correct `status_field`, or declare the state under `running`, `succeeded` or `failed` of the job.",
            facts={**self._calls.facts, "job": job_id, "said": said},
        )

    def greet(self) -> None:
        """Ask for the state of a job that does not exist: whether we are let in, and nothing else."""
        self._calls.ask("GET", self._job.status.replace("{id}", "headwater"), "tell the state of a job")

    def close(self) -> None:
        self._calls.close()

    def _id(self, answer: Any) -> str:
        found = field_of(answer, self._job.id_field)
        if found is None or isinstance(found, dict | list) or not str(found):
            raise self._uncertain(f"the answer has no {self._job.id_field!r}")
        return str(found)

    def _uncertain(self, why: str) -> JobUncertainError:
        return JobUncertainError(
            f"nobody can tell whether {self._calls.base} started the job: {why}",
            got=why,
            remedy="Look where the job runs; start a new run once it is clear. Declare `find`, `repeatable` or the "
            "right `id_field` of the job, and this is told by itself.",
            facts=self._calls.facts,
        )


def base_of(connection: ConnectionInfo) -> str:
    """Scheme, host and port. :raises ConnectionMalformedError: when it names no host."""
    host = connection.host
    if not host:
        raise ConnectionMalformedError(
            f"connection {connection.id!r} names no host",
            allowed='{"conn_type": "http", "host": "https://jobs.example.com", "password": "<token>"}',
            facts={"connection": connection.id},
        )
    scheme = connection.schema_ or ("https" if connection.kind == "https" else "http")
    base = host if "://" in host else f"{scheme}://{host}"
    return base.rstrip("/") + (f":{connection.port}" if connection.port else "")


def _auth(connection: ConnectionInfo) -> httpx.Auth | None:
    """Login and password; or a password alone, which is a bearer token."""
    password = connection.password.get_secret_value()
    if connection.login:
        return httpx.BasicAuth(connection.login, password)
    return _Bearer(password) if password else None
