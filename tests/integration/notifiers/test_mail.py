"""Mail to a real SMTP server."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.adapters.notifiers.mail import EmailNotifier
from headwater.domain.errors import DeliveryError
from headwater.domain.incident import Incident
from headwater.ports.connections import ConnectionInfo


@pytest.fixture
def notifier(smtp: ConnectionInfo) -> EmailNotifier:
    return EmailNotifier(lambda: smtp, "headwater@example.com")


def test_a_mail_carries_text_and_html_to_all_addresses(
    notifier: EmailNotifier, mailbox: Any, incident: Incident
) -> None:
    notifier.send(incident)
    (mail,) = mailbox.mails
    assert mail["To"] == "a@example.com, b@example.com"
    assert mail["From"] == "headwater@example.com"
    assert "uv run headwater run flights --wait" in mail.get_body(("plain",)).get_content()
    assert "uv run headwater run flights --wait" in mail.get_body(("html",)).get_content()


def test_a_line_end_in_a_title_adds_no_header(notifier: EmailNotifier, mailbox: Any, incident: Incident) -> None:
    notifier.send(incident)
    (mail,) = mailbox.mails
    assert mail["Bcc"] is None
    assert mail["Subject"].strip().startswith("[Headwater #7 held back] 42 rows break the rule Bcc:")


def test_a_digest_is_one_mail(notifier: EmailNotifier, mailbox: Any, incident: Incident) -> None:
    notifier.send_digest([incident.model_copy(update={"id": number}) for number in range(1, 31)])
    (mail,) = mailbox.mails
    assert all(f"#{number} " in mail.get_body(("plain",)).get_content() for number in range(1, 31))


def test_a_refusal_is_a_delivery_error_without_the_servers_words(
    notifier: EmailNotifier, mailbox: Any, incident: Incident
) -> None:
    mailbox.refusal = "451 try later, hunter2secret"
    with pytest.raises(DeliveryError, match="SMTPDataError 451") as caught:
        notifier.send(incident)
    assert "hunter2secret" not in str(caught.value)
    assert caught.value.facts["connection"] == "headwater_smtp"


def test_one_refused_address_does_not_keep_the_mail_from_the_others(
    notifier: EmailNotifier, mailbox: Any, incident: Incident
) -> None:
    mailbox.refused_recipients = ("a@example.com",)
    notifier.send(incident)
    assert len(mailbox.mails) == 1
    mailbox.refused_recipients = ("a@example.com", "b@example.com")
    with pytest.raises(DeliveryError, match="SMTPRecipientsRefused"):
        notifier.send(incident)


def test_a_server_that_offers_no_tls_is_not_sent_to_in_clear(
    smtp: ConnectionInfo, mailbox: Any, incident: Incident
) -> None:
    strict = smtp.model_copy(update={"extra": {}})
    with pytest.raises(DeliveryError, match="SMTPNotSupportedError"):
        EmailNotifier(lambda: strict, "headwater@example.com").send(incident)
    assert mailbox.mails == []


def test_no_server_is_a_delivery_error(smtp: ConnectionInfo, incident: Incident) -> None:
    nobody = smtp.model_copy(update={"port": 9})
    with pytest.raises(DeliveryError, match=r"127\.0\.0\.1:9"):
        EmailNotifier(lambda: nobody, "headwater@example.com").send(incident)
