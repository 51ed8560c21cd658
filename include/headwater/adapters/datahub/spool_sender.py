"""Empties a spool towards a server, in order, until it is empty or the server stops answering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Signal
from typing import Protocol

from headwater.adapters.datahub.event_file import read_events
from headwater.adapters.datahub.gms_client import Answer
from headwater.adapters.datahub.proposals import Event
from headwater.adapters.datahub.spool import EventSpool

BATCH = 50
"""Events in one request: what a slow server answers within the read time-out."""
_SICK_AFTER = 3
"""So many failures in a row, and none taken, are the server's and not the events'."""


class Server(Protocol):
    def send(self, events: Sequence[Event]) -> Answer: ...


@dataclass(slots=True)
class Sending:
    """How far a sender came.

    :param trouble: why it stopped early; empty when the spool is empty.
    :param refusal: reason of the first refused event.
    """

    sent: int = 0
    refused: int = 0
    refusal: str = ""
    trouble: str = ""


class SpoolSender:
    """Sends batches; ``abandoned`` ends the work before the next request."""

    def __init__(self, spool: EventSpool, server: Server, abandoned: Signal) -> None:
        self._spool = spool
        self._server = server
        self._abandoned = abandoned
        self.state = Sending()

    def run(self) -> None:
        """Send everything that waits. Progress is kept after every batch; sending twice changes nothing."""
        try:
            with self._spool.alone():
                for path in self._spool.waiting():
                    if not self._send_file(path):
                        return
        except OSError as error:
            self.state.trouble = f"the spool cannot be used: {error.strerror}"

    def _send_file(self, path: Path) -> bool:
        try:
            events = read_events(path)
        except ValueError as error:
            self._spool.set_file_aside(path)
            self.state.refused += 1
            self.state.refusal = self.state.refusal or str(error)
            return True
        while events:
            if self._abandoned.is_set():
                return False
            batch, rest = events[:BATCH], events[BATCH:]
            if not self._send_batch(path, batch):
                return False
            events = rest
            self._spool.keep(path, events)
        return True

    def _send_batch(self, path: Path, batch: Sequence[Event]) -> bool:
        answer = self._server.send(batch)
        if answer.kind == "taken":
            self.state.sent += len(batch)
            return True
        if answer.kind == "refused" or answer.status == 500:
            return self._send_singly(path, batch)
        self.state.trouble = answer.reason
        return False

    def _send_singly(self, path: Path, batch: Sequence[Event]) -> bool:
        """Find the events at fault: one that fails while its neighbours pass is, whatever the status."""
        faulty: list[tuple[Event, Answer]] = []
        taken = 0
        for event in batch:
            answer = Answer("unavailable", "time is up") if self._abandoned.is_set() else self._server.send([event])
            if answer.kind == "taken":
                taken += 1
                continue
            faulty.append((event, answer))
            failing = answer.kind == "unavailable" and answer.status != 500
            sick = not taken and sum(each.status == 500 for _, each in faulty) >= _SICK_AFTER
            if failing or sick:
                self.state.trouble = answer.reason
                return False
        if not taken and any(answer.kind != "refused" for _, answer in faulty):
            self.state.trouble = faulty[0][1].reason
            return False
        self.state.sent += taken
        self.state.refused += len(faulty)
        if faulty:
            self.state.refusal = self.state.refusal or faulty[0][1].reason
            self._spool.set_aside(path, [event for event, _ in faulty])
        return True
