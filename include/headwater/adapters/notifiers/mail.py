"""Alerts by mail, as text and HTML, over the connection ``headwater_smtp``."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING

from headwater.adapters.notifiers.html_page import alert_html, digest_html
from headwater.adapters.notifiers.outline import digest_headline, headline
from headwater.adapters.notifiers.plain_text import alert_text, digest_text
from headwater.domain.errors import DeliveryError
from headwater.domain.incident import Incident
from headwater.ports.connections import ConnectionInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_SECONDS = 8.0
LONGEST_SUBJECT = 200


class EmailNotifier:
    """Sends one mail per alert to all addresses of the owner.

    :param resolve: gives the smtp connection when it is needed. Its extra may say ``disable_ssl`` (default true on
        ports other than 465) and ``disable_tls`` (no STARTTLS; default false), as Airflow's smtp connection does.
    :param sender: the From address.
    """

    channel = "email"

    def __init__(self, resolve: Callable[[], ConnectionInfo], sender: str) -> None:
        self._resolve = resolve
        self._sender = sender

    def send(self, incident: Incident) -> None:
        message = self._message(incident.owner.email, headline(incident), alert_text(incident), alert_html(incident))
        message["Message-ID"] = f"<headwater-incident-{incident.id}-{make_msgid().strip('<>')}>"
        self._deliver(message)

    def send_digest(self, incidents: Sequence[Incident]) -> None:
        to = tuple(dict.fromkeys(address for incident in incidents for address in incident.owner.email))
        message = self._message(to, digest_headline(incidents), digest_text(incidents), digest_html(incidents))
        message["Message-ID"] = make_msgid()
        self._deliver(message)

    def _message(self, to: Sequence[str], subject: str, text: str, html: str) -> EmailMessage:
        message = EmailMessage()
        # a line end in a header would begin a header of the attacker's choice
        message["Subject"] = " ".join(subject.split())[:LONGEST_SUBJECT]
        message["From"] = " ".join(self._sender.split())
        message["To"] = ", ".join(" ".join(address.split()) for address in to)
        message["Date"] = formatdate()
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        message.add_alternative(html, subtype="html")
        return message

    def _deliver(self, message: EmailMessage) -> None:
        info = self._resolve()
        try:
            with _session(info) as session:
                # a mail that one of several addresses took is delivered: repeating it for the others never ends
                session.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryError(
                f"the mail server {info.host}:{info.port} did not take the mail: {_reason(error)}",
                facts={"channel": self.channel, "host": info.host, "connection": info.id, "reason": _reason(error)},
            ) from error


@contextmanager
def _session(info: ConnectionInfo) -> Iterator[smtplib.SMTP]:
    port = info.port or 25
    disable_ssl = bool(info.extra.get("disable_ssl", port != 465))
    disable_tls = bool(info.extra.get("disable_tls", False))
    context = ssl.create_default_context()
    if disable_ssl:
        session = smtplib.SMTP(info.host, port, timeout=TIMEOUT_SECONDS)
    else:
        session = smtplib.SMTP_SSL(info.host, port, timeout=TIMEOUT_SECONDS, context=context)
    with session:
        if disable_ssl and not disable_tls:
            session.starttls(context=context)
        if info.login:
            session.login(info.login, info.password.get_secret_value())
        yield session


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        # the server's own words may repeat what we sent it, a password among it
        return f"{type(error).__name__} {error.smtp_code}"
    return type(error).__name__ if isinstance(error, smtplib.SMTPException) else f"{error or type(error).__name__}"
