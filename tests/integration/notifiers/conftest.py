"""A real SMTP server and a real HTTP server that answers as it is told, on loopback."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr
from tests.incident_store_under_test import incident_store

from headwater.adapters.incident_store import SqlIncidentStore
from headwater.domain.incident import Incident, Step
from headwater.domain.spec import Owner
from headwater.ports.connections import ConnectionInfo

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass
class Mailbox:
    """Handler of aiosmtpd: keeps mails, or answers with ``refusal``."""

    mails: list[EmailMessage] = field(default_factory=list)
    refusal: str | None = None
    refused_recipients: tuple[str, ...] = ()

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address in self.refused_recipients:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refusal is not None:
            return self.refusal
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        return "250 OK"


@dataclass
class Webhook:
    """What the HTTP server was sent, and how it answers: ``ok``, ``429``, ``500``, ``hang`` or ``reset``."""

    port: int = 0
    mode: str = "ok"
    bodies: list[dict[str, Any]] = field(default_factory=list)
    stop_hanging: threading.Event = field(default_factory=threading.Event)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp(mailbox: Mailbox) -> Iterator[ConnectionInfo]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=_free_port())
    controller.start()
    yield ConnectionInfo(
        id="headwater_smtp", kind="smtp", host="127.0.0.1", port=controller.port, extra={"disable_tls": True}
    )
    controller.stop()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    state = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if state.mode == "hang":
                state.stop_hanging.wait(30)
                return
            if state.mode == "reset":
                # SO_LINGER 0: close sends RST instead of FIN
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                return
            status = 200 if state.mode == "ok" else int(state.mode)
            if status == 200:
                state.bodies.append(json.loads(body))
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "30")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # a reset is meant
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    state.stop_hanging.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def slack(webhook: Webhook) -> ConnectionInfo:
    return ConnectionInfo(
        id="headwater_slack",
        kind="slackwebhook",
        host=f"http://127.0.0.1:{webhook.port}/services",
        password=SecretStr("T0/B0/hook-secret"),
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlIncidentStore]:
    with incident_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def incident() -> Incident:
    return Incident(
        id=7,
        kind="held",
        cause="contract_broken",
        pipeline="flights",
        table="silver.flights.flights",
        title="42 rows break the rule\r\nBcc: everyone@example.com",
        error_line="42 rows",
        likely_cause="the source",
        steps=(Step(text="Run again.", command="uv run headwater run flights --wait"),),
        owner=Owner(team="aviation", email=("a@example.com", "b@example.com")),
        first_seen=NOON,
        last_seen=NOON,
    )
