"""What must stay, stays (rules 21, 38, 41)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.services.maintenance.conftest import TABLE, at

from headwater.domain.release import Release
from headwater.domain.staging import TableState
from headwater.ports.upkeep import SnapshotFacts, TableHistory, ancestors
from headwater.services.maintenance.keeping import (
    Needed,
    bridges,
    expirable,
    kept_releases,
    kept_snapshots,
    may_drop,
    needed_of_releases,
)

LINE = {1: None, 2: 1, 3: 2, 4: 3, 5: 4}
FAR = at(1000)


def test_a_release_is_kept_while_it_or_the_retention_was_current(release: Callable[..., Release]) -> None:
    line = [release(9, 5), release(7, 4), release(5, 3), release(1, 2)]
    assert [item.tables[0].snapshot_id for item in kept_releases(line, at(6))] == [5, 4, 3]
    assert [item.tables[0].snapshot_id for item in kept_releases(line, FAR)] == [5], "the current one, however old"


def test_each_line_of_releases_keeps_its_own(release: Callable[..., Release]) -> None:
    found = [release(9, 5), release(2, 3, kind="audited"), release(1, 2), release(0, 1, kind="audited")]
    assert [item.tables[0].snapshot_id for item in kept_releases(found, FAR)] == [5, 3]


def test_an_open_intent_is_kept_and_an_aborted_one_is_not(release: Callable[..., Release]) -> None:
    found = [release(9, 5, "pending"), release(8, 4, "aborted"), release(7, 3)]
    assert [item.tables[0].snapshot_id for item in kept_releases(found, FAR)] == [5, 3]


def test_releases_need_their_snapshots_metadata_and_state_files(release: Callable[..., Release]) -> None:
    need = needed_of_releases(TABLE, [release(9, 5)])
    assert need == Needed(snapshots=frozenset({5}), paths=frozenset({"m5", "ledger-5.json"}))


def test_heads_tags_and_what_attempts_were_cut_from_stay(history: Callable[..., TableHistory]) -> None:
    made = history({**LINE, 6: 2, 7: 6}, 5, branches={"hw_a": 7}, tags={"used_by_gold": 3})
    kept = kept_snapshots(made, Needed(), FAR)
    assert kept == {5, 3, 7, 6, 2}
    assert expirable(made, kept, 100) == (1, 4)
    assert expirable(made, kept, 1) == (1,)


def test_what_main_was_since_the_cutoff_stays(history: Callable[..., TableHistory]) -> None:
    mains = tuple((at(day), snapshot) for day, snapshot in enumerate(LINE))
    made = history(LINE, 5, mains=mains)
    assert kept_snapshots(made, Needed(), at(2.5)) == {3, 4, 5}


def test_what_readers_know_a_rewritten_table_as_stays(history: Callable[..., TableHistory]) -> None:
    state = TableState(run_key="k", spec_hash="s", stands_for=3)
    assert kept_snapshots(history(LINE, 5, state=state), Needed(), FAR) == {3, 5}


def test_ancestors_are_found_over_what_expired(history: Callable[..., TableHistory]) -> None:
    made = history(LINE, 5)
    noted = bridges(made, (2, 3))
    assert noted == {4: 1}
    after = history({1: None, 4: None, 5: 4}, 5, ancestry=noted)
    assert list(ancestors(after, 5)) == [5, 4, 1]
    assert bridges(after, (4,)) == {5: 1}, "a bridge that goes is bridged itself"
    assert bridges(after, (1,)) == {}


def test_a_replaced_table_stays_while_anything_in_it_is_needed(history: Callable[..., TableHistory]) -> None:
    made = history(LINE, 5, tags={"used_by_gold__shop__sums": 5})
    assert may_drop(made, Needed(snapshots=frozenset({9})))
    assert not may_drop(made, Needed(snapshots=frozenset({3})))
    assert not may_drop(made.model_copy(update={"tags": {"audit": 3}}), Needed())
    assert not may_drop(made.model_copy(update={"branches": {"hw_a": 3}}), Needed())


@st.composite
def tables(draw: st.DrawFn) -> tuple[TableHistory, Needed, int]:
    """Any tree of snapshots with any names in it, what the records need, and the day of the cutoff."""
    count = draw(st.integers(1, 14))
    ids = list(range(1, count + 1))
    any_of = st.sampled_from(ids)
    parents = {child: draw(st.none() | st.sampled_from(ids[: child - 1])) if child > 1 else None for child in ids}
    snapshots = tuple(SnapshotFacts(id=child, parent=parents[child], created_at=at(child)) for child in ids)
    main = draw(st.none() | any_of)
    mains = tuple((at(day), draw(any_of)) for day in sorted(draw(st.sets(st.integers(0, 20), max_size=5))))
    stands_for = draw(st.none() | any_of)
    made = TableHistory(
        table="t", main=main, snapshots=snapshots, mains=mains, metadata_location="m",
        branches=draw(st.dictionaries(st.sampled_from(["hw_a", "hw_b", "theirs"]), any_of)),
        tags=draw(st.dictionaries(st.sampled_from(["used_by_x", "audit"]), any_of)),
        state=TableState(run_key="k", spec_hash="s", stands_for=stands_for),
    )  # fmt: skip
    need = Needed(snapshots=frozenset(draw(st.sets(st.integers(1, 20), max_size=5))))
    return made, need, draw(st.integers(0, 20))


@given(tables(), st.integers(1, 20))
def test_nothing_that_is_referred_to_ever_expires(found: tuple[TableHistory, Needed, int], most: int) -> None:
    made, need, day = found
    kept = kept_snapshots(made, need, at(day))
    gone = set(expirable(made, kept, most))
    assert gone <= made.ids
    assert len(gone) <= most
    assert not gone & need.snapshots
    assert not gone & set(made.branches.values())
    assert not gone & set(made.tags.values())
    assert not gone & {made.main, made.state.stands_for if made.state else None}
    assert not gone & {snapshot for since, snapshot in made.mains if since >= at(day)}
    line = set(ancestors(made, made.main))
    for head in made.branches.values():
        own = [snapshot for snapshot in ancestors(made, head) if snapshot not in line]
        base = next((snapshot for snapshot in ancestors(made, head) if snapshot in line), None)
        assert not gone & {*own, base}


@given(tables(), st.integers(1, 20))
def test_who_descends_from_whom_outlives_expiry(found: tuple[TableHistory, Needed, int], most: int) -> None:
    made, need, day = found
    gone = expirable(made, kept_snapshots(made, need, at(day)), most)
    noted = bridges(made, gone)
    left = tuple(
        item.model_copy(update={"parent": None if item.parent in gone else item.parent})
        for item in made.snapshots
        if item.id not in gone
    )
    after = made.model_copy(update={"snapshots": left, "ancestry": noted})
    for item in left:
        before = [snapshot for snapshot in ancestors(made, item.id) if snapshot not in gone]
        assert list(ancestors(after, item.id)) == before


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["bronze", "audited"])), max_size=20), st.integers(0, 40))
def test_what_readers_saw_at_any_instant_of_the_retention_is_kept(line: list[tuple[int, str]], day: int) -> None:
    releases = [
        Release(
            id=f"r{order}", run_key="k", pipeline="shop", kind=kind, status="published", created_at=at(published),
            published_at=at(published),
        )
        for order, (published, kind) in enumerate(sorted(line, reverse=True))
    ]  # fmt: skip
    kept = kept_releases(releases, at(day))
    for kind in ("bronze", "audited"):
        for hours in range(0, 24 * 10, 12):
            instant = at(day) + timedelta(hours=hours)
            seen = [item for item in releases if item.kind == kind and item.created_at <= instant]
            assert not seen or seen[0] in kept
