"""Requests to Airflow with a token that is renewed when it has expired."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import JsonValue

from headwater.domain.errors import AirflowDownError, RequestError
from headwater.domain.settings import AirflowSettings

CONNECT_SECONDS = 8.0
ANSWER_SECONDS = 30.0
"""One that is busy answers late, its first questions above all; one that is gone does not connect."""
LONGEST_DETAIL = 200


def trusting(base_url: str, ca_file: str | None) -> ssl.SSLContext | bool:
    """Whom a client of this address believes. :raises OSError: when the file of authorities cannot be read."""
    if ca_file is None or not base_url.startswith("https://"):
        return True
    return ssl.create_default_context(cafile=ca_file)


class AirflowSession:
    """One HTTP client. Without a password it sends no token, as an Airflow whose users are all admins allows.

    :raises AirflowDownError: when the profile has no base URL, or names a file of authorities that cannot be read.
    """

    def __init__(self, settings: AirflowSettings) -> None:
        if settings.base_url is None:
            raise AirflowDownError(
                "the profile does not say where Airflow is",
                allowed="airflow.base_url, such as http://localhost:8080",
                remedy="set airflow.base_url in the environment profile, or start the stack",
                facts={"host": "(not set)", "reason": "airflow.base_url is missing in the profile"},
            )
        self.base_url = settings.base_url.rstrip("/")
        self._username = settings.username
        self._password = settings.password
        self._token: str | None = None
        try:
            believed = trusting(self.base_url, settings.ca_file)
        except OSError as error:
            raise self._down(f"airflow.ca_file {settings.ca_file} cannot be used", str(error)) from error
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        self._http = httpx.Client(timeout=timeout, follow_redirects=False, verify=believed)

    def close(self) -> None:
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, JsonValue] | None = None,
    ) -> dict[str, Any] | None:
        """The JSON answer, or None when there is no such thing (404).

        :raises AirflowDownError: when Airflow does not answer in time, or refuses.
        :raises RequestError: when it refuses what a run was to be started with.
        """
        response = self._send(method, path, params, body)
        if response.status_code == 401 and self._token is not None:
            self._token = None
            response = self._send(method, path, params, body)
        if response.status_code == 404:
            return None
        if response.status_code == 400 and method == "POST":
            raise RequestError(f"Airflow at {self.base_url} refuses the parameters", got=_detail(response),
                               remedy="Ask again with what is allowed; nothing was started.")  # fmt: skip
        if not response.is_success:
            raise self._refused(response)
        return self._document(response)

    def _send(
        self, method: str, path: str, params: Mapping[str, Any] | None, body: Mapping[str, JsonValue] | None
    ) -> httpx.Response:
        if self._token is None and self._password.get_secret_value():
            self._token = self._login()
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return self._http_request(method, f"/api/v2{path}", params=params, json=body, headers=headers)

    def _login(self) -> str:
        credentials = {"username": self._username, "password": self._password.get_secret_value()}
        response = self._http_request("POST", "/auth/token", json=credentials)
        if not response.is_success:
            raise self._refused(response)
        return str(self._document(response).get("access_token", ""))

    def _http_request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            return self._http.request(method, self.base_url + path, **arguments)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._down(type(error).__name__) from error

    def _document(self, response: httpx.Response) -> dict[str, Any]:
        try:
            found = response.json() if response.content else {}
        except ValueError as error:
            raise self._down("an answer that is not JSON") from error
        if found is None:  # the body of an answer that says nothing but that it is done
            return {}
        if not isinstance(found, dict):
            raise self._down("an answer of another shape")
        return found

    def _refused(self, response: httpx.Response) -> AirflowDownError:
        return self._down(f"HTTP {response.status_code}", response.text[:LONGEST_DETAIL])

    def _down(self, reason: str, detail: str | None = None) -> AirflowDownError:
        return AirflowDownError(
            f"Airflow at {self.base_url} did not do what was asked: {reason}",
            got=detail,
            remedy="see which part of Airflow does not answer: headwater doctor",
            facts={"host": self.base_url, "reason": reason},
        )


def _detail(response: httpx.Response) -> str:
    """What a form's schema objects to, without the schema."""
    try:
        said = str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        said = response.text
    return said.partition("\n")[0]
