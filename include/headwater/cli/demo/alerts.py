"""The alert as its recipient gets it: mail and Slack message of the local mailbox."""

from __future__ import annotations

import json
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from headwater.cli.output import console

ARRIVAL_SECONDS = 40.0


def arrived(mailbox: Path) -> set[Path]:
    """What lies in the mailbox."""
    return {*mailbox.glob("*.eml"), *mailbox.glob("slack-*.json")}


def print_new_alerts(mailbox: Path, before: set[Path]) -> bool:
    """Wait until a mail and a Slack message came that were not there before, and show both; returns whether."""
    deadline = time.monotonic() + ARRIVAL_SECONDS
    fresh: list[Path] = []
    while time.monotonic() < deadline:
        fresh = sorted(arrived(mailbox) - before)
        if {path.suffix for path in fresh} == {".eml", ".json"}:
            break
        time.sleep(0.3)
    for path in fresh:
        _print_mail(path) if path.suffix == ".eml" else _print_slack(path)
    return bool(fresh)


def _print_mail(path: Path) -> None:
    message = message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=policy.default)
    plain = message.get_body(("plain",))
    out = console()
    out.rule(f"mail to {message['To']}", align="left")
    out.print(f"Subject: {message['Subject']}\n", markup=False, highlight=False)
    out.print(plain.get_content() if plain is not None else "", markup=False, highlight=False, soft_wrap=True)
    out.print(f"As a page: {path.with_suffix('.html')}", highlight=False)


def _print_slack(path: Path) -> None:
    out = console()
    out.rule("Slack message", align="left")
    out.print_json(json.dumps(json.loads(path.read_text())))
    out.print(f"Blocks: {path}", highlight=False)
