"""Leases of every RunStore; run in memory, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from headwater.domain.names import Layer, TableName
from headwater.ports.run_store import RunStore

A = TableName(layer=Layer.BRONZE, source="shop", table="a")
B = TableName(layer=Layer.BRONZE, source="shop", table="b")
S = TableName(layer=Layer.SILVER, source="shop", table="a")


def test_leases_are_taken_all_or_none(runs: RunStore) -> None:
    """Rule 23."""
    assert {lease.run_key for lease in runs.acquire([B], "k1", "one", 60)} == {"k1"}
    blocking = runs.acquire([A, B], "k2", "two", 60)
    assert [(lease.table, lease.run_key, lease.holder) for lease in blocking] == [(B.dotted, "k1", "one")]
    assert [lease.table for lease in runs.leases()] == [B.dotted]


def test_an_unexpired_lease_is_never_taken_over(runs: RunStore) -> None:
    runs.acquire([A], "k1", "one", 60)
    assert runs.acquire([A], "k2", "two", 60, takeover=True)[0].run_key == "k1"


def test_an_expired_lease_is_taken_only_on_word_that_its_run_is_over(runs: RunStore) -> None:
    runs.acquire([A], "k1", "one", 0)
    assert runs.acquire([A], "k2", "two", 60)[0].run_key == "k1"
    taken = runs.acquire([A], "k2", "two", 60, takeover=True)
    assert (taken[0].run_key, taken[0].token) == ("k2", 2)


def test_a_run_renews_its_lease_and_gets_a_new_token_after_a_gap(runs: RunStore) -> None:
    first = runs.acquire([A], "k1", "one", 60)[0]
    renewed = runs.acquire([A], "k1", "one", 0)[0]
    after_gap = runs.acquire([A], "k1", "one", 60)[0]
    assert (first.token, renewed.token, after_gap.token) == (1, 1, 2)
    assert after_gap.expires_at > after_gap.heartbeat_at


def test_tokens_only_grow_also_when_leases_were_given_back(runs: RunStore) -> None:
    tokens = []
    for i in range(3):
        tokens.append(runs.acquire([A], f"k{i}", "h", 60)[0].token)
        runs.release_leases(f"k{i}")
    assert tokens == [1, 2, 3]
    assert runs.leases() == ()


def test_a_heartbeat_extends_and_tells_of_a_loss(runs: RunStore) -> None:
    runs.acquire([A, B], "k1", "one", 0)
    assert runs.heartbeat("k1", 60)
    assert runs.acquire([A], "k2", "two", 60, takeover=True)[0].run_key == "k1"
    runs.heartbeat("k1", 0)
    runs.acquire([A], "k2", "two", 60, takeover=True)
    assert not runs.heartbeat("k1", 60)
    assert runs.heartbeat("k2", 60)
    assert not runs.heartbeat("never", 60)


def test_of_racing_acquirers_one_wins(runs: RunStore) -> None:
    """Tables named in any order; neither deadlock nor half a set."""
    with ThreadPoolExecutor(8) as pool:
        tables = [[A, B, S], [S, B, A]]
        answers = list(pool.map(lambda i: runs.acquire(tables[i % 2], f"k{i}", "h", 60), range(8)))
    winners = {i for i, leases in enumerate(answers) if all(lease.run_key == f"k{i}" for lease in leases)}
    assert len(winners) == 1
    assert {lease.run_key for lease in runs.leases()} == {f"k{i}" for i in winners}
