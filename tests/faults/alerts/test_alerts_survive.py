"""Alerts survive a sender that is killed between sending and marking, and a burst of failures."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from headwater.adapters.clock import SystemClock
from headwater.adapters.incident_store import SqlIncidentStore
from headwater.adapters.notifiers.mail import EmailNotifier
from headwater.adapters.run_store.engine import migrate
from headwater.domain.incident import Failure, Incident
from headwater.domain.spec import Owner
from headwater.ports.connections import ConnectionInfo
from headwater.services.incidents.sending import send_due

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)

# Sends for real, then dies before it can mark anything: what kill -9 at that instant leaves behind.
KILLED_SENDER = """
import os, signal, sys
from headwater.adapters.clock import SystemClock
from headwater.adapters.incident_store import SqlIncidentStore
from headwater.adapters.notifiers.mail import EmailNotifier
from headwater.ports.connections import ConnectionInfo
from headwater.services.incidents.sending import send_due

smtp = ConnectionInfo(id="s", kind="smtp", host="127.0.0.1", port=int(sys.argv[1]), extra={"disable_tls": True})

class Dying(EmailNotifier):
    def send(self, incident):
        super().send(incident)
        os.kill(os.getpid(), signal.SIGKILL)

store = SqlIncidentStore(os.environ["STORE_URL"])
send_due(store, {"email": Dying(lambda: smtp, "headwater@example.com")}, SystemClock())
"""


class Mailbox:
    def __init__(self) -> None:
        self.texts: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        body: Any = message_from_bytes(envelope.content, policy=policy.default)
        self.texts.append(body.get_body(("plain",)).get_content())
        return "250 OK"


class LaterClock(SystemClock):
    """Two minutes ahead: the claim of a killed sender has run out."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=2)


class OneMoment(SystemClock):
    """Stands still, so that a burst lasts no longer on a busy machine."""

    def __init__(self) -> None:
        self._now = super().now()

    def now(self) -> datetime:
        return self._now


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp(mailbox: Mailbox) -> Iterator[ConnectionInfo]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield ConnectionInfo(id="s", kind="smtp", host="127.0.0.1", port=port, extra={"disable_tls": True})
    controller.stop()


@pytest.fixture
def store_url(postgres_database: Callable[..., str]) -> str:
    url = postgres_database()
    migrate(url)
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[SqlIncidentStore]:
    opened = SqlIncidentStore(store_url)
    yield opened
    opened.close_database()


def fail(store: SqlIncidentStore, number: int, at: datetime) -> None:
    failure = Failure(
        pipeline="flights", run_id="r", task_id=f"t{number}", cause="unknown", table=f"silver.flights.t{number}",
        message="m", seen_at=at,
    )  # fmt: skip
    draft = Incident(
        id=0, kind="failed", cause="unknown", pipeline="flights", table=failure.table, title=f"failure {number}.",
        error_line="m", likely_cause="c", steps=(), owner=Owner(team="aviation", email=("a@example.com",)),
        first_seen=at, last_seen=at,
    )  # fmt: skip
    store.record(failure, draft, ["email"])


def test_a_sender_killed_between_sending_and_marking_loses_nothing(
    store: SqlIncidentStore, store_url: str, smtp: ConnectionInfo, mailbox: Mailbox
) -> None:
    """At least once: the alert may come twice, and the others still come."""
    for number in range(3):
        fail(store, number, LONG_AGO)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_SENDER, str(smtp.port)],
        env={**os.environ, "STORE_URL": store_url},
        check=False,
        timeout=120,
    )
    assert killed.returncode == -signal.SIGKILL
    assert len(mailbox.texts) == 1
    email = EmailNotifier(lambda: smtp, "headwater@example.com")
    assert send_due(store, {"email": email}, SystemClock()).sent == 0, "the dead sender's claim stands for a minute"
    send_due(store, {"email": email}, LaterClock())
    assert sum("failure 0." in text for text in mailbox.texts) == 2
    assert all(any(f"failure {number}." in text for text in mailbox.texts) for number in range(3))
    assert send_due(store, {"email": email}, LaterClock()).sent == 0


def test_five_hundred_failures_are_a_few_mails_that_list_every_one(
    store: SqlIncidentStore, smtp: ConnectionInfo, mailbox: Mailbox
) -> None:
    """Fault 25: grouped, nothing lost."""
    clock = OneMoment()
    email = {"email": EmailNotifier(lambda: smtp, "headwater@example.com")}
    for number in range(500):
        fail(store, number, clock.now())
        if number < 30:
            send_due(store, email, clock)
    send_due(store, email, LaterClock())
    assert len(mailbox.texts) <= 21
    everything = "\n".join(mailbox.texts)
    assert [number for number in range(500) if f"failure {number}." not in everything] == []
