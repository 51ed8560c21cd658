"""Alerts to a Slack incoming webhook, the connection ``headwater_slack``."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Sequence
from urllib.error import URLError

from headwater.adapters.notifiers.outline import digest_headline, headline
from headwater.adapters.notifiers.slack_blocks import Block, alert_blocks, digests, escaped
from headwater.domain.errors import DeliveryError
from headwater.domain.incident import Incident
from headwater.ports.connections import ConnectionInfo

TIMEOUT_SECONDS = 8


class SlackNotifier:
    """Posts one message per alert; the webhook decides the channel.

    :param resolve: gives the slackwebhook connection when it is needed: host is the address, the password the secret
        part of its path, or the whole address, as Airflow's Slack provider has it.
    """

    channel = "slack"

    def __init__(self, resolve: Callable[[], ConnectionInfo]) -> None:
        self._resolve = resolve

    def send(self, incident: Incident) -> None:
        self._post(headline(incident), alert_blocks(incident))

    def send_digest(self, incidents: Sequence[Incident]) -> None:
        for blocks in digests(incidents):
            self._post(digest_headline(incidents), blocks)

    def _post(self, text: str, blocks: list[Block]) -> None:
        from slack_sdk.webhook import WebhookClient

        info = self._resolve()
        client = WebhookClient(webhook_url(info), timeout=TIMEOUT_SECONDS, retry_handlers=[])
        try:
            response = client.send(text=escaped(text), blocks=blocks, unfurl_links=False)
        except (URLError, OSError, http.client.HTTPException) as error:
            # the error's own text may hold the webhook's address, which is the secret
            raise _undelivered(info, type(error).__name__) from None
        if response.status_code != 200:
            raise _undelivered(info, f"HTTP {response.status_code}", _seconds(response.headers))


def webhook_url(info: ConnectionInfo) -> str:
    """The webhook's address: the password when it is a whole address, else host and password joined by a slash."""
    secret = info.password.get_secret_value()
    if secret.startswith(("https://", "http://")):
        return secret
    scheme = "" if "://" in info.host else f"{info.schema_ or 'https'}://"
    port = f":{info.port}" if info.port else ""
    return f"{scheme}{info.host.rstrip('/')}{port}/{secret.lstrip('/')}"


def _undelivered(info: ConnectionInfo, reason: str, retry_after_seconds: float | None = None) -> DeliveryError:
    return DeliveryError(
        f"the Slack webhook of connection {info.id} did not take the message: {reason}",
        facts={"channel": "slack", "host": info.host, "connection": info.id, "reason": reason},
        retry_after_seconds=retry_after_seconds,
    )


def _seconds(headers: dict[str, str]) -> float | None:
    asked = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(asked) if asked.isascii() and asked.isdigit() else None
