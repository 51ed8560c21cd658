"""Alerts on the console: the task log of Airflow, or the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TextIO

from headwater.adapters.notifiers.plain_text import alert_text, digest_text
from headwater.domain.incident import Incident


def _stdout() -> TextIO:
    return sys.stdout


class ConsoleNotifier:
    """Prints the alert.

    :param stream: where to; looked up at each send, because Airflow replaces standard output while a task runs.
    """

    channel = "console"

    def __init__(self, stream: Callable[[], TextIO] = _stdout) -> None:
        self._stream = stream

    def send(self, incident: Incident) -> None:
        self._write(alert_text(incident))

    def send_digest(self, incidents: Sequence[Incident]) -> None:
        self._write(digest_text(incidents))

    def _write(self, text: str) -> None:
        stream = self._stream()
        # a terminal without UTF-8 must not swallow the alert
        encoding = stream.encoding or "utf-8"
        stream.write("\n" + text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
