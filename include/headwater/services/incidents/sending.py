"""Sends what waits in the outbox.

At least once: a sender killed between sending and marking leaves the delivery waiting, so the alert comes again; it is
never lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from secrets import SystemRandom

from headwater.domain.errors import DeliveryError, HeadwaterError
from headwater.domain.incident import Delivery, Incident
from headwater.ports.clock import Clock
from headwater.ports.incident_store import IncidentStore
from headwater.ports.notifier import Notifier

FIRST_WAIT_SECONDS = 15.0
LONGEST_WAIT_SECONDS = 3600.0
BURST = 20
BURST_WINDOW = timedelta(minutes=1)
CLAIMED_AT_ONCE = 10_000


@dataclass
class SendResult:
    """Numbers of the deliveries sent, put off, and left for the next pass; ``errors`` names each silent channel."""

    sent: int = 0
    postponed: int = 0
    left: int = 0
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Mail:
    """One message: a single alert, or a digest."""

    channel: str
    items: tuple[tuple[Delivery, Incident], ...]


def send_due(
    store: IncidentStore, notifiers: Mapping[str, Notifier], clock: Clock, budget_seconds: float = 15.0
) -> SendResult:
    """Send every due delivery, within about ``budget_seconds`` plus one message.

    More than twenty alerts of one owner that wait together, or that came within a minute, go as one digest. A channel
    that fails is left alone for the rest of the pass, so that a hanging one costs ten seconds and no other channel
    waits behind it. Waits double from 15 s to an hour with jitter, unless the channel said how long.

    :param budget_seconds: keep at or below 45: claims last one minute, and one message may take ten seconds.
    """
    started = clock.now()
    result = SendResult()
    for mail in _mails(store, started, result):
        out_of_time = (clock.now() - started).total_seconds() > budget_seconds
        if out_of_time or mail.channel in result.errors:
            result.left += len(mail.items)
        else:
            _send(store, notifiers.get(mail.channel), mail, clock, result)
    return result


def wait_seconds(attempts: int, asked: float | None, jitter: float) -> float:
    """Seconds until the next try.

    :param attempts: tries before this one.
    :param asked: what the channel asked for; obeyed up to the cap of an hour, and never undercut.
    :param jitter: in [0, 1); spreads senders over half the wait.
    """
    doubled = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(attempts, 20))
    spread = doubled * (0.5 + 0.5 * jitter)
    return spread if asked is None else max(min(asked, LONGEST_WAIT_SECONDS), 1.0) + jitter


def _mails(store: IncidentStore, now: datetime, result: SendResult) -> list[_Mail]:
    """Due deliveries as messages, the channels in turn."""
    due = store.due(now, CLAIMED_AT_ONCE)
    incidents = {number: store.get(number) for number in {item.incident_id for item in due}}
    pairs = [(item, incident) for item in due if (incident := incidents[item.incident_id])]
    grouped = groupby(sorted(pairs, key=_group), key=_group)
    by_group = {group: tuple(items) for group, items in grouped}
    mails: list[_Mail] = []
    for (channel, team), items in by_group.items():
        if len(items) > BURST:
            mails.append(_Mail(channel, items))
        elif _in_burst(store, team, now):
            _hold_back(store, items, now, result)
        else:
            mails.extend(_Mail(channel, (item,)) for item in items)
    return sorted(mails, key=lambda mail: mail.items[0][0].id)


def _group(pair: tuple[Delivery, Incident]) -> tuple[str, str]:
    return pair[0].channel, pair[1].owner.team


def _in_burst(store: IncidentStore, team: str, now: datetime) -> bool:
    recent = store.list(limit=CLAIMED_AT_ONCE)
    fresh = [item for item in recent if item.owner.team == team and now - item.first_seen < BURST_WINDOW]
    return len(fresh) > BURST


def _hold_back(
    store: IncidentStore, items: Sequence[tuple[Delivery, Incident]], now: datetime, result: SendResult
) -> None:
    for delivery, _ in items:
        store.postpone(delivery.id, "many alerts at once: gathered into one digest", now + BURST_WINDOW)
        result.postponed += 1


def _send(store: IncidentStore, notifier: Notifier | None, mail: _Mail, clock: Clock, result: SendResult) -> None:
    error = _delivery_error(notifier, mail)
    if error is None:
        for delivery, _ in mail.items:
            store.delivered(delivery.id, clock.now())
        result.sent += len(mail.items)
        return
    result.errors[mail.channel] = error.message
    for delivery, _ in mail.items:
        wait = wait_seconds(delivery.attempts, error.retry_after_seconds, SystemRandom().random())
        store.postpone(delivery.id, error.message, clock.now() + timedelta(seconds=wait))
    result.postponed += len(mail.items)


def _delivery_error(notifier: Notifier | None, mail: _Mail) -> DeliveryError | None:
    if notifier is None:
        return DeliveryError(f"the profile has no channel {mail.channel} any more")
    try:
        if len(mail.items) == 1:
            notifier.send(mail.items[0][1])
        else:
            notifier.send_digest([incident for _, incident in mail.items])
    except DeliveryError as error:
        return error
    except HeadwaterError as error:
        return DeliveryError(error.message)
    except Exception as error:  # noqa: BLE001 - a message that breaks its channel must not keep the others waiting
        return DeliveryError(f"{type(error).__qualname__} while sending; incident {mail.items[0][1].id}")
    return None
