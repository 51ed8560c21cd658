"""The outbox is emptied within bounds, channel by channel, and loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from hypothesis import given
from hypothesis import strategies as st

from headwater.adapters.incident_store import SqlIncidentStore
from headwater.domain.errors import ConnectionMissingError, DeliveryError
from headwater.domain.incident import Failure, Incident
from headwater.services.incidents.desk import IncidentDesk
from headwater.services.incidents.sending import LONGEST_WAIT_SECONDS, send_due, wait_seconds


class Passing(Protocol):
    def now(self) -> datetime: ...
    def data_now(self) -> datetime: ...
    def pass_by(self, **span: float) -> None: ...


class Recording:
    """A channel that remembers, or fails as told."""

    def __init__(self, channel: str, error: Exception | None = None) -> None:
        self.channel = channel
        self.error = error
        self.sent: list[int] = []
        self.digests: list[list[int]] = []
        self.tries = 0

    def send(self, incident: Incident) -> None:
        self._try()
        self.sent.append(incident.id)

    def send_digest(self, incidents: Sequence[Incident]) -> None:
        self._try()
        self.digests.append([item.id for item in incidents])

    def _try(self) -> None:
        self.tries += 1
        if self.error is not None:
            raise self.error


def report(desk: IncidentDesk, number: int) -> None:
    desk.report(
        Failure(
            pipeline="flights",
            run_id="r",
            task_id=f"t{number}",
            cause="unknown",
            table=f"silver.flights.flights{number}",
            message="m",
            seen_at=datetime(2026, 11, 21, 12, tzinfo=UTC),
        )
    )


def test_every_channel_gets_every_incident_once(desk: IncidentDesk, clock: Passing) -> None:
    for number in range(3):
        report(desk, number)
    channels = {name: Recording(name) for name in ("console", "email", "slack")}
    result = send_due(desk.store, channels, clock)
    assert (result.sent, result.postponed) == (9, 0)
    assert all(channel.sent == [1, 2, 3] for channel in channels.values())
    clock.pass_by(hours=2)
    assert send_due(desk.store, channels, clock).sent == 0


def test_a_failing_channel_is_tried_once_a_pass_and_holds_up_no_other(desk: IncidentDesk, clock: Passing) -> None:
    for number in range(3):
        report(desk, number)
    channels = {name: Recording(name) for name in ("console", "email")}
    channels["slack"] = Recording("slack", DeliveryError("no"))
    result = send_due(desk.store, channels, clock)
    assert (result.sent, result.postponed, result.left) == (6, 1, 2)
    assert channels["slack"].tries == 1
    channels["slack"].error = None
    clock.pass_by(hours=1)
    send_due(desk.store, channels, clock)
    assert sorted(channels["slack"].sent) == [1, 2, 3]


def test_what_the_channel_asked_for_is_waited(desk: IncidentDesk, clock: Passing, store: SqlIncidentStore) -> None:
    report(desk, 0)
    error = DeliveryError("slow down", retry_after_seconds=120)
    send_due(store, {"console": Recording("console", error)}, clock)
    clock.pass_by(seconds=119)
    assert "console" not in {item.channel for item in store.due(clock.now())}
    clock.pass_by(seconds=3)
    assert "console" in {item.channel for item in store.due(clock.now())}


def test_a_bug_or_a_missing_connection_postpones_and_is_named(desk: IncidentDesk, clock: Passing) -> None:
    report(desk, 0)
    channels = {
        "console": Recording("console", ConnectionMissingError("no connection headwater_smtp")),
        "email": Recording("email", ZeroDivisionError("a bug")),
    }
    result = send_due(desk.store, channels, clock)
    assert result.postponed == 3
    assert result.errors["console"] == "no connection headwater_smtp"
    assert result.errors["email"].startswith("ZeroDivisionError")
    assert result.errors["slack"] == "the profile has no channel slack any more"


def test_more_than_twenty_for_one_owner_are_one_digest_that_lists_all(desk: IncidentDesk, clock: Passing) -> None:
    for number in range(30):
        report(desk, number)
    channels = {name: Recording(name) for name in ("console", "email", "slack")}
    assert send_due(desk.store, channels, clock).sent == 90
    assert channels["email"].digests == [list(range(1, 31))]
    assert channels["email"].sent == []


def test_single_alerts_wait_for_the_digest_while_a_burst_goes_on(desk: IncidentDesk, clock: Passing) -> None:
    console = Recording("console")
    channels = {"console": console, "email": Recording("email"), "slack": Recording("slack")}
    for number in range(24):
        report(desk, number)
        send_due(desk.store, channels, clock)
    assert len(console.sent) == 20
    clock.pass_by(seconds=61)
    send_due(desk.store, channels, clock)
    assert sorted(console.sent) == list(range(1, 25)), "four that waited are too few for a digest"


def test_a_pass_ends_when_its_time_is_up(desk: IncidentDesk, clock: Passing) -> None:
    for number in range(5):
        report(desk, number)

    class Slow(Recording):
        def send(self, incident: Incident) -> None:
            clock.pass_by(seconds=9)
            super().send(incident)

    slow = {name: Slow(name) for name in ("console", "email", "slack")}
    result = send_due(desk.store, slow, clock, budget_seconds=20)
    assert (result.sent, result.left) == (3, 12)
    clock.pass_by(seconds=60)
    assert send_due(desk.store, slow, clock, budget_seconds=1000).sent == 12


@given(st.integers(0, 10_000), st.one_of(st.none(), st.floats(0, 1e9)), st.floats(0, 0.999))
def test_waits_are_positive_and_capped(attempts: int, asked: float | None, jitter: float) -> None:
    assert 1 <= wait_seconds(attempts, asked, jitter) <= LONGEST_WAIT_SECONDS + 1


@given(st.integers(0, 30), st.floats(0, 0.999))
def test_waits_double_until_the_cap(attempts: int, jitter: float) -> None:
    assert wait_seconds(attempts + 1, None, jitter) >= wait_seconds(attempts, None, jitter)


@given(st.floats(1, 3600), st.floats(0, 0.999))
def test_an_asked_wait_is_never_undercut(asked: float, jitter: float) -> None:
    assert wait_seconds(0, asked, jitter) >= asked
