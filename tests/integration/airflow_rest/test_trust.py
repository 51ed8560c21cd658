"""Airflow behind a certificate that the cluster's own authority signed, as in `prod`."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.integration.storage.authority import Authority

from headwater.adapters.airflow_rest import RestAirflowApi, unwell
from headwater.domain.errors import AirflowDownError
from headwater.domain.settings import AirflowSettings


class _Airflow(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = {
            "is_paused": False,
            "has_import_errors": False,
            "access_token": "t",
            "scheduler": {"status": "healthy"},
        }
        content = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def settings(authority: Authority) -> Iterator[AirflowSettings]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Airflow) as server:
        shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        shown.load_cert_chain(authority.certificate, authority.key)
        server.socket = shown.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        url = f"https://127.0.0.1:{server.server_port}"
        yield AirflowSettings(base_url=url, password=SecretStr("x"), ca_file=str(authority.ca))
        server.shutdown()
        thread.join()


def _dag(settings: AirflowSettings) -> bool:
    api = RestAirflowApi(settings)
    try:
        return api.dag("flights") is not None
    finally:
        api.close()


def test_an_airflow_that_the_profiles_authority_vouches_for_is_asked(settings: AirflowSettings) -> None:
    assert _dag(settings)
    assert unwell(settings) == ()


def test_one_that_no_authority_of_the_profile_vouches_for_is_told_nothing(settings: AirflowSettings) -> None:
    """Its password above all."""
    stranger = settings.model_copy(update={"ca_file": None})
    with pytest.raises(AirflowDownError, match="ConnectError"):
        _dag(stranger)
    assert unwell(stranger) == ("the API server does not answer (ConnectError)",)


def test_a_file_of_authorities_that_cannot_be_used_is_named(settings: AirflowSettings, tmp_path: Path) -> None:
    wrong = settings.model_copy(update={"ca_file": str(tmp_path / "missing.crt")})
    with pytest.raises(AirflowDownError, match=r"airflow\.ca_file .*missing\.crt cannot be used"):
        RestAirflowApi(wrong)
    assert "airflow.ca_file" in unwell(wrong)[0]


def test_an_address_without_tls_needs_no_file(tmp_path: Path) -> None:
    """The profile of clusters is one for `dev`, too."""
    RestAirflowApi(AirflowSettings(base_url="http://127.0.0.1:1", ca_file=str(tmp_path / "missing.crt"))).close()
