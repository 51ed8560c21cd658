"""Slack's webhook, played by a real HTTP server that answers, refuses, hangs or resets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headwater.adapters.incident_store import SqlIncidentStore
from headwater.adapters.notifiers import slack as slack_module
from headwater.adapters.notifiers.mail import EmailNotifier
from headwater.adapters.notifiers.slack import SlackNotifier, webhook_url
from headwater.domain.errors import DeliveryError
from headwater.domain.incident import Failure, Incident
from headwater.ports.connections import ConnectionInfo
from headwater.ports.notifier import Notifier
from headwater.services.incidents.sending import send_due


class SteppedClock:
    def __init__(self) -> None:
        self.instant = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def data_now(self) -> datetime:
        return self.instant


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_module, "TIMEOUT_SECONDS", 1)


def test_a_message_carries_blocks_and_an_escaped_fallback(
    slack: ConnectionInfo, webhook: Any, incident: Incident
) -> None:
    SlackNotifier(lambda: slack).send(incident.model_copy(update={"title": "<!channel> & co"}))
    (body,) = webhook.bodies
    assert body["text"] == "[Headwater #7 held back] &lt;!channel&gt; &amp; co"
    assert any("uv run headwater run flights --wait" in str(block) for block in body["blocks"])


@pytest.mark.parametrize(("mode", "asked"), [("429", 30.0), ("500", None), ("403", None), ("reset", None)])
def test_an_answer_that_is_not_ok_is_a_delivery_error_without_the_address(
    slack: ConnectionInfo, webhook: Any, incident: Incident, mode: str, asked: float | None
) -> None:
    webhook.mode = mode
    with pytest.raises(DeliveryError) as caught:
        SlackNotifier(lambda: slack).send(incident)
    assert caught.value.retry_after_seconds == asked
    assert "hook-secret" not in str(caught.value)


@pytest.mark.usefixtures("impatient")
def test_a_hanging_webhook_is_given_up(slack: ConnectionInfo, webhook: Any, incident: Incident) -> None:
    webhook.mode = "hang"
    with pytest.raises(DeliveryError, match="did not take the message"):
        SlackNotifier(lambda: slack).send(incident)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("mode", ["429", "500", "hang", "reset"])
def test_a_bad_webhook_loses_nothing_and_holds_up_no_mail(
    mode: str,
    slack: ConnectionInfo,
    smtp: ConnectionInfo,
    webhook: Any,
    mailbox: Any,
    incident: Incident,
    store: SqlIncidentStore,
) -> None:
    """Fault 24: the outbox row comes first, the sender tries again, the other channel is not affected."""
    clock = SteppedClock()
    for number in range(3):
        failure = Failure(
            pipeline="flights", run_id="r", task_id=f"t{number}", cause="unknown", table=f"silver.flights.t{number}",
            message="m", seen_at=clock.now(),
        )  # fmt: skip
        store.record(failure, incident.model_copy(update={"table": failure.table}), ["slack", "email"])
    channels: dict[str, Notifier] = {
        "email": EmailNotifier(lambda: smtp, "headwater@example.com"),
        "slack": SlackNotifier(lambda: slack),
    }
    webhook.mode = mode
    send_due(store, channels, clock)
    assert len(mailbox.mails) == 3
    assert webhook.bodies == []
    webhook.mode = "ok"
    webhook.stop_hanging.set()
    clock.instant += timedelta(hours=1)
    send_due(store, channels, clock)
    assert len(webhook.bodies) == 3
    assert len(mailbox.mails) == 3


@pytest.mark.parametrize(
    ("host", "password", "url"),
    [
        ("https://hooks.slack.com/services", "T/B/x", "https://hooks.slack.com/services/T/B/x"),
        ("https://hooks.slack.com/services/", "/T/B/x", "https://hooks.slack.com/services/T/B/x"),
        ("hooks.slack.com/services", "T/B/x", "https://hooks.slack.com/services/T/B/x"),
        ("", "https://hooks.slack.com/services/T/B/x", "https://hooks.slack.com/services/T/B/x"),
    ],
)
def test_the_address_is_put_together_as_airflows_provider_does(host: str, password: str, url: str) -> None:
    from pydantic import SecretStr

    info = ConnectionInfo(id="s", kind="slackwebhook", host=host, password=SecretStr(password))
    assert webhook_url(info) == url
