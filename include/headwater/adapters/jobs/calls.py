"""Calls of a service that answers in JSON, and its refusals in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from headwater.adapters.redaction import Redactor
from headwater.domain.errors import (
    CredentialsError,
    HeadwaterError,
    NotPermittedError,
    SourceTableMissingError,
    SourceUnreachableError,
)
from headwater.domain.job_errors import JobUncertainError
from headwater.ports.connections import ConnectionInfo

CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 60.0
LONGEST_DETAIL = 300


class JsonCalls:
    """One service. Redirects are not followed: they would carry the credentials elsewhere.

    :param base: address that paths are put behind, without a slash at its end.
    """

    def __init__(self, connection: ConnectionInfo, base: str, auth: httpx.Auth | None = None) -> None:
        self.base, self.connection = base, connection
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        self._http = httpx.Client(timeout=timeout, follow_redirects=False, auth=auth, trust_env=False)
        self._redact = Redactor([connection.password.get_secret_value()])

    def close(self) -> None:
        self._http.close()

    def ask(self, method: str, path: str, what: str, **arguments: Any) -> Any:
        """The answer's JSON; None for 404. Asking changes nothing, so it may be repeated.

        :param what: what is done, in words, for errors.
        """
        try:
            response = self._http.request(method, self.base + path, **arguments)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._silent(what, error) from None
        return None if response.status_code == 404 else self._document(response, what)

    def order(self, method: str, path: str, what: str, **arguments: Any) -> Any:
        """The answer's JSON to a call that starts something.

        :raises JobUncertainError: when the call may have done its work and no answer says so.
        :raises SourceTableMissingError: for 404.
        """
        try:
            response = self._http.request(method, self.base + path, **arguments)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise self._silent(what, error) from None
        except httpx.HTTPError as error:
            raise self._uncertain(what, type(error).__name__) from None
        if response.status_code == 404:
            raise SourceTableMissingError(
                f"{self.base} knows nothing to {what}", got=f"HTTP 404 for {path}", facts=self.facts,
                remedy="Correct `job: {start: …}` in the source's YAML, or the host of the connection.",
            )  # fmt: skip
        if response.status_code >= 500 and response.status_code != 503:
            raise self._uncertain(what, self._told(response))
        refused = response.status_code >= 300
        try:
            return self._document(response, what)
        except SourceUnreachableError as error:
            if refused:
                raise
            raise self._uncertain(what, str(error.got)) from None

    @property
    def facts(self) -> dict[str, str]:
        return {"connection": self.connection.id, "host": self.base, "login": self.connection.login}

    def _document(self, response: httpx.Response, what: str) -> Any:
        if not response.is_success:
            raise self._refusal(response, what)
        try:
            return response.json()
        except ValueError:
            got = self._told(response)
        raise SourceUnreachableError(
            f"{self.base} answered in a form that is not JSON when asked to {what}", got=got, facts=self.facts
        )

    def _refusal(self, response: httpx.Response, what: str) -> HeadwaterError:
        told, name = self._told(response), self.connection.id
        if response.status_code == 401:
            return CredentialsError(
                f"{self.base} refused connection {name!r} when asked to {what}", got=told, facts=self.facts,
                remedy=f"Set the right login and password on connection {name!r}, then clear the task.",
            )  # fmt: skip
        if response.status_code == 403:
            return NotPermittedError(
                f"connection {name!r} may not {what} at {self.base}", got=told, facts=self.facts,
                remedy="Let the owner of the service grant the right to start the job and to look at it.",
            )  # fmt: skip
        if response.status_code in (408, 425, 429) or response.status_code >= 500:
            wait = response.headers.get("Retry-After")
            return SourceUnreachableError(
                f"{self.base} cannot {what} now" + (f", and asks to wait {wait} s" if wait else ""),
                got=told,
                remedy="The task tries again. Where that is not enough, let the owner of the service look at it.",
                facts=self.facts,
            )
        return SourceTableMissingError(
            f"{self.base} does not {what} as it was asked to", got=told, facts=self.facts,
            remedy="Correct the job's `start`, `status` and `parameters` in the source's YAML by what the answer says.",
        )  # fmt: skip

    def _told(self, response: httpx.Response) -> str:
        text = " ".join(response.text.split())[:LONGEST_DETAIL]
        return self._redact(f"HTTP {response.status_code}" + (f": {text}" if text else ""))

    def _silent(self, what: str, error: Exception) -> SourceUnreachableError:
        return SourceUnreachableError(
            f"{self.base} did not answer when asked to {what}",
            got=self._redact(f"{type(error).__name__}: {error}"),
            remedy="Check that the service runs and that host and port of the connection are right.",
            facts=self.facts,
        )

    def _uncertain(self, what: str, got: str) -> JobUncertainError:
        return JobUncertainError(
            f"the answer of {self.base} to the call to {what} was lost: nobody can tell whether a job was started",
            got=self._redact(got),
            remedy="Look where the job runs. Where it runs or ended, it delivers by its own key and the next run reads "
            "on; then start a new run. Declare `find` or `repeatable` of the job, and this is told by itself.",
            facts=self.facts,
        )


def field_of(document: Any, path: str) -> Any:
    """The value at a dotted path of a JSON document; None where there is none."""
    for part in path.split("."):
        document = document.get(part) if isinstance(document, Mapping) else None
    return document
