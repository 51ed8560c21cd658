"""What the outbox promises, on PostgreSQL and SQLite alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from headwater.adapters.incident_store import SqlIncidentStore
from headwater.adapters.incident_store.tables import METADATA
from headwater.adapters.run_store.engine import open_engine
from headwater.domain.errors import NotFoundError
from headwater.domain.incident import Failure, Incident

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MakeFailure = Callable[..., Failure]
MakeDraft = Callable[[Failure], Incident]


def test_the_migration_builds_exactly_the_tables(store_url: str) -> None:
    engine = open_engine(store_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": lambda _o, name, kind, *_: kind != "table" or name in METADATA.tables}
        )
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_a_new_incident_gets_its_number_into_its_texts(
    store: SqlIncidentStore, failure_of: MakeFailure, draft_of: MakeDraft
) -> None:
    failure = failure_of()
    incident, new = store.record(failure, draft_of(failure), ["console"])
    assert new
    assert incident.title == f"incident {incident.id}"
    assert store.get(incident.id) == incident
    assert store.failures_seen("flights", "run1") == (failure,)


def test_one_failure_told_twice_counts_once(
    store: SqlIncidentStore, failure_of: MakeFailure, draft_of: MakeDraft
) -> None:
    failure = failure_of()
    first, _ = store.record(failure, draft_of(failure), ["console"])
    again, new = store.record(failure, draft_of(failure), ["console"])
    assert (again.id, again.count, new) == (first.id, 1, False)
    assert len(store.due(NOON)) == 1


def test_a_repeat_counts_up_and_takes_the_newest_words(
    store: SqlIncidentStore, failure_of: MakeFailure, draft_of: MakeDraft
) -> None:
    first = failure_of()
    second = failure_of("run2", message="now 40 rows", seen_at=NOON + timedelta(hours=1))
    store.record(first, draft_of(first), ["console"])
    incident, new = store.record(second, draft_of(second), ["console"])
    assert new
    assert (incident.count, incident.error_line) == (2, "now 40 rows")
    assert (incident.first_seen, incident.last_seen) == (NOON, NOON + timedelta(hours=1))
    assert len(store.due(NOON + timedelta(days=1))) == 1, "a repeat sends no second alert"


def test_two_tables_held_by_one_task_are_two_incidents(
    store: SqlIncidentStore, failure_of: MakeFailure, draft_of: MakeDraft
) -> None:
    for table in ("silver.flights.flights", "silver.flights.planes"):
        failure = failure_of(table=table, kind="held")
        store.record(failure, draft_of(failure), [])
    assert {item.table for item in store.list("open")} == {"silver.flights.flights", "silver.flights.planes"}


def test_after_closing_the_same_cause_opens_anew(
    store: SqlIncidentStore, failure_of: MakeFailure, draft_of: MakeDraft
) -> None:
    first, second = failure_of(), failure_of("run2")
    old, _ = store.record(first, draft_of(first), ["console"])
    store.close(old.id, "healed", NOON)
    store.close(old.id, "again", NOON)
    fresh, _ = store.record(second, draft_of(second), ["console"])
    assert fresh.id != old.id
    assert [item.id for item in store.list()] == [fresh.id, old.id]
    assert store.list("closed")[0].closed_why == "healed"
    with pytest.raises(NotFoundError):
        store.close(10_000, "none", NOON)


def test_a_due_delivery_is_claimed_for_one_minute(
    store: SqlIncidentStore, failure_of: MakeFailure, draft_of: MakeDraft
) -> None:
    failure = failure_of()
    store.record(failure, draft_of(failure), ["console", "email"])
    assert store.due(NOON - timedelta(seconds=1)) == ()
    assert [item.channel for item in store.due(NOON)] == ["console", "email"]
    assert store.due(NOON + timedelta(seconds=59)) == ()
    assert len(store.due(NOON + timedelta(seconds=60))) == 2


def test_postponed_waits_and_delivered_is_done(
    store: SqlIncidentStore, failure_of: MakeFailure, draft_of: MakeDraft
) -> None:
    failure = failure_of()
    incident, _ = store.record(failure, draft_of(failure), ["email"])
    (delivery,) = store.due(NOON)
    store.postpone(delivery.id, "nobody\0home", NOON + timedelta(minutes=5))
    assert store.due(NOON + timedelta(minutes=4)) == ()
    (again,) = store.due(NOON + timedelta(minutes=5))
    assert (again.attempts, again.last_error) == (1, "nobodyhome")
    store.delivered(again.id, NOON)
    assert store.due(NOON + timedelta(days=9)) == ()
    assert store.deliveries(incident.id)[0].status == "sent"


def test_parallel_repeats_open_one_incident_and_lose_none(
    store: SqlIncidentStore, failure_of: MakeFailure, draft_of: MakeDraft
) -> None:
    barrier = threading.Barrier(8)

    def work(number: int) -> None:
        failure = failure_of(f"run{number}")
        barrier.wait()
        store.record(failure, draft_of(failure), ["console"])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (incident,) = store.list()
    assert incident.count == 8
    assert len(store.due(NOON)) == 1


def test_two_senders_share_the_outbox_without_overlap(
    store: SqlIncidentStore, failure_of: MakeFailure, draft_of: MakeDraft
) -> None:
    for number in range(40):
        failure = failure_of(table=f"silver.flights.t{number}")
        store.record(failure, draft_of(failure), ["console"])
    claimed: list[int] = []
    barrier = threading.Barrier(2)

    def work() -> None:
        barrier.wait()
        claimed.extend(item.id for item in store.due(NOON, limit=40))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed))
    assert len(claimed) + len(store.due(NOON, limit=40)) == 40
