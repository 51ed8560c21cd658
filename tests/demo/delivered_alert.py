"""An alert as its recipient gets it, read back from the mail and the Slack message."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

_STEP = re.compile(r"  \d+(?: ([A-C]))?\. (.+)")
_SECTION = re.compile(r"([A-Z][A-Za-z ]+):\s+(.+)")


@dataclass
class Step:
    """One step of an alert's text."""

    choice: str | None
    words: str
    command: str = ""
    sql: str = ""


class Alert:
    """An alert as it arrived by mail and in Slack."""

    def __init__(self, mail: Path, slack: Path) -> None:
        message = message_from_bytes(mail.read_bytes(), _class=EmailMessage, policy=policy.default)
        body = message.get_body(("plain",))
        assert body is not None
        self.to = str(message["To"])
        self.subject = str(message["Subject"])
        self.text = str(body.get_content()).replace("\r\n", "\n")
        self.slack = "\n".join(_texts(json.loads(slack.read_text())))
        facts, _, steps = self.text.partition("What to do:\n")
        self.facts = {match[1]: match[2] for match in map(_SECTION.match, facts.splitlines()) if match}
        self.steps = _steps(steps)
        assert self.steps, self.text

    @property
    def cause(self) -> str:
        """Which runbook it names."""
        match = re.search(r"include/runbooks/(\w+)\.md", self.text)
        assert match is not None
        return match[1]

    @property
    def number(self) -> str:
        """Of the incident."""
        match = re.search(r"#(\d+)", self.subject)
        assert match is not None
        return match[1]


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def _steps(text: str) -> list[Step]:
    steps: list[Step] = []
    for line in text.splitlines():
        if match := _STEP.fullmatch(line):
            steps.append(Step(match[1], match[2]))
        elif line.startswith("       $ "):
            steps[-1].command += line[9:] + "\n"
        elif line.startswith("       ") and not line.startswith("       --"):
            steps[-1].sql += line.strip() + "\n"
    return steps
