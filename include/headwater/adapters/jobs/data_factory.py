"""Pipelines of Azure Data Factory, through its management API (2018-06-01)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from headwater.adapters.jobs.calls import LONGEST_DETAIL, JsonCalls
from headwater.domain.errors import (
    ConnectionMalformedError,
    CredentialsError,
    SourceTableMissingError,
    SourceUnreachableError,
)
from headwater.domain.external import ExternalJob
from headwater.domain.job_errors import JobFailedError, JobUncertainError
from headwater.ports.connections import ConnectionInfo
from headwater.ports.jobs import JobRequest, RemoteJob

MANAGEMENT = "https://management.azure.com"
AUTHORITY = "https://login.microsoftonline.com"
VERSION = {"api-version": "2018-06-01"}
KEY_PARAMETER = "headwater_key"
"""The pipeline has to declare this parameter: by it a run whose start was not answered is found again."""
_RUNNING = ("Queued", "InProgress", "Canceling")
_NEEDED = ("tenantId", "subscription_id", "resource_group_name", "factory_name")
_CLOCKS = timedelta(minutes=15)
"""How far the clocks of both sides may be apart."""


class DataFactoryJobs:
    """Runs of one pipeline. The connection's login is the client id, its password the client secret."""

    def __init__(self, job: ExternalJob, connection: ConnectionInfo) -> None:
        extra = {key: str(value) for key, value in connection.extra.items()}
        missing = [name for name in _NEEDED if not extra.get(name)]
        if missing or not connection.login:
            raise ConnectionMalformedError(
                f"connection {connection.id!r} does not say which data factory is meant",
                got=f"without {', '.join(missing or ['login'])}",
                allowed=f"login (client id), password (client secret), extra {', '.join(_NEEDED)}",
                facts={"connection": connection.id},
            )
        self._job, self._connection, self._extra = job, connection, extra
        self._calls = JsonCalls(connection, extra.get("management_url", MANAGEMENT).rstrip("/"))
        self._token: str | None = None
        ids = [quote(extra[name], safe="") for name in _NEEDED[1:]]
        self._factory = (
            f"/subscriptions/{ids[0]}/resourceGroups/{ids[1]}/providers/Microsoft.DataFactory/factories/{ids[2]}"
        )

    def start(self, request: JobRequest) -> str:
        told = {KEY_PARAMETER: request.key, "headwater_run_key": request.run_key}
        path = f"{self._factory}/pipelines/{quote(self._job.start, safe='')}/createRun"
        answer = self._calls.order(
            "POST", path, f"start pipeline {self._job.start}", params=VERSION, headers=self._authorised(),
            json={**self._job.parameters, **told},
        )  # fmt: skip
        found = answer.get("runId") if isinstance(answer, dict) else None
        if not found:
            raise JobUncertainError(
                f"the data factory named no run of pipeline {self._job.start} that it started", facts=self._calls.facts
            )
        return str(found)

    def find(self, request: JobRequest) -> str | None:
        """By the parameter of the key, among the pipeline's runs since the first try asked."""
        body: dict[str, Any] = {
            "lastUpdatedAfter": (request.since - _CLOCKS).isoformat(),
            "lastUpdatedBefore": (datetime.now(UTC) + _CLOCKS).isoformat(),
            "filters": [{"operand": "PipelineName", "operator": "Equals", "values": [self._job.start]}],
        }
        while True:
            answer = self._calls.ask(
                "POST", f"{self._factory}/queryPipelineRuns", "find the pipeline's run", params=VERSION,
                headers=self._authorised(), json=body,
            )  # fmt: skip
            for run in (answer or {}).get("value", ()):
                if (run.get("parameters") or {}).get(KEY_PARAMETER) == request.key:
                    return str(run["runId"])
            token = (answer or {}).get("continuationToken")
            if not token or token == body.get("continuationToken"):
                return None
            body["continuationToken"] = token

    def look(self, job_id: str) -> RemoteJob:
        answer = self._calls.ask(
            "GET", f"{self._factory}/pipelineruns/{quote(job_id, safe='')}", "tell the state of the pipeline's run",
            params=VERSION, headers=self._authorised(),
        )  # fmt: skip
        if answer is None:
            raise JobFailedError(
                f"the data factory knows no run {job_id} of pipeline {self._job.start} any more",
                got="HTTP 404",
                remedy="Look at the factory's monitor; start a new run, which starts the pipeline anew.",
                facts={**self._calls.facts, "job": job_id},
            )
        state = str(answer.get("status"))
        said = ": ".join(part for part in (state, str(answer.get("message") or "")) if part)[:LONGEST_DETAIL]
        if state in _RUNNING:
            return RemoteJob(id=job_id, state="running", said=said)
        return RemoteJob(id=job_id, state="succeeded" if state == "Succeeded" else "failed", said=said)

    def greet(self) -> None:
        """Ask for the factory itself. :raises SourceTableMissingError: when there is none of that name."""
        answer = self._calls.ask("GET", self._factory, "show itself", params=VERSION, headers=self._authorised())
        if answer is None:
            name = self._extra["factory_name"]
            raise SourceTableMissingError(
                f"there is no data factory {name}",
                got="HTTP 404",
                remedy=f"Correct subscription, resource group or factory in the extra of {self._connection.id!r}.",
                facts=self._calls.facts,
            )

    def close(self) -> None:
        self._calls.close()

    def _authorised(self) -> dict[str, str]:
        if self._token is None:
            self._token = self._login()
        return {"Authorization": f"Bearer {self._token}"}

    def _login(self) -> str:
        """A token by client credentials."""
        authority = self._extra.get("authority_url", AUTHORITY).rstrip("/")
        form = {
            "grant_type": "client_credentials",
            "client_id": self._connection.login,
            "client_secret": self._connection.password.get_secret_value(),
            "scope": f"{MANAGEMENT}/.default",
        }
        address = f"{authority}/{quote(self._extra['tenantId'], safe='')}/oauth2/v2.0/token"
        facts = {**self._calls.facts, "host": authority}
        try:
            response = httpx.post(address, data=form, timeout=30, trust_env=False)
            token = response.json().get("access_token") if response.is_success else None
        except (httpx.HTTPError, ValueError) as error:
            raise SourceUnreachableError(
                f"{authority} gave no token for connection {self._connection.id!r}",
                got=type(error).__name__, facts=facts, remedy="Check that the address can be reached from here.",
            ) from None  # fmt: skip
        if token:
            return str(token)
        if response.status_code in (429, 500, 502, 503, 504):
            raise SourceUnreachableError(
                f"{authority} gives no token now", got=f"HTTP {response.status_code}", facts=facts
            )
        raise CredentialsError(
            f"{authority} refused client {self._connection.login!r} of connection {self._connection.id!r}",
            got=f"HTTP {response.status_code}",
            remedy="Set the right client id and secret on the connection, then clear the task.",
            facts=facts,
        )
