"""The channels a profile names."""

from __future__ import annotations

from headwater.adapters.notifiers.console import ConsoleNotifier
from headwater.adapters.notifiers.mail import EmailNotifier
from headwater.adapters.notifiers.slack import SlackNotifier
from headwater.domain.settings import Settings
from headwater.ports.connections import Connections
from headwater.ports.notifier import Notifier


def open_notifiers(settings: Settings, connections: Connections) -> dict[str, Notifier]:
    """Channel -> notifier; connections are resolved when something is sent."""
    alerts = settings.alerts
    known: dict[str, Notifier] = {
        "console": ConsoleNotifier(),
        "email": EmailNotifier(lambda: connections.resolve(alerts.smtp_connection), alerts.sender),
        "slack": SlackNotifier(lambda: connections.resolve(alerts.slack_connection)),
    }
    return {channel: known[channel] for channel in alerts.channels}
