"""Every run and every release says which commit of the DAG repository made it (rule 43)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headwater.domain.incident import Incident
from headwater.services.accepting import accept
from headwater.services.rollback import rollback


def version_of(world: Any, run_id: str) -> str | None:
    version: str | None = world.runs.run(world.context(run_id).key).bundle_version
    return version


def test_runs_and_releases_of_every_kind_name_their_commit(world: Any) -> None:
    world.commit = "c1"
    world.source.rejecting = {"stock"}
    assert world.whole("one") is None
    world.commit, world.source.rows["orders"] = "c2", 2
    assert world.whole("two") is None
    assert [version_of(world, run) for run in ("one", "two")] == ["c1", "c2"]
    made = {(release.kind, release.bundle_version) for release in world.runs.releases("shop")}
    assert {("bronze", "c1"), ("audited", "c1"), ("quarantine", "c1"), ("bronze", "c2"), ("audited", "c2")} == made


def test_a_folder_has_no_commit_to_name(world: Any) -> None:
    assert world.whole("one") is None
    assert version_of(world, "one") is None
    assert {release.bundle_version for release in world.runs.releases("shop")} == {None}


def test_a_cleared_run_names_the_commit_it_was_moved_to(world: Any) -> None:
    """Who clears it has mended something: the clear runs on the newest commit."""
    world.commit = "c1"
    world.bronze("one")
    world.commit, world.model.code = "c2", "mended"
    world.plan("one")
    assert version_of(world, "one") == "c2"
    world.silver("one")
    world.gold("one")
    world.publish("one")
    made = [(release.kind, release.bundle_version) for release in world.runs.releases("shop")]
    assert made == [("audited", "c2"), ("bronze", "c1")]


def test_an_accepted_table_is_released_by_the_commit_of_its_run(
    world: Any, incident_of: Callable[[str], Incident]
) -> None:
    """The person at the command line stands in another checkout, at whatever commit."""
    world.commit = "c1"
    world.engine.broken = {"bronze.shop.stock"}
    world.whole("one")
    world.commit = None
    done = accept(world, incident_of("bronze.shop.stock"), "ann", "counted by hand")
    assert done.release is not None
    assert done.release.bundle_version == "c1"


def test_a_rollback_names_the_commit_of_what_it_turns_back_to(world: Any) -> None:
    world.commit = "c1"
    world.whole("one")
    world.commit, world.source.rows["orders"] = "c2", 2
    world.whole("two")
    first = next(r for r in world.runs.releases("shop") if (r.kind, r.bundle_version) == ("audited", "c1"))
    stores = (world.runs, world.catalog, world.clock, world.run_states)
    turned = rollback(*stores, first.id, run_key="i/shop/rollback", holder="ann")
    assert (turned.kind, turned.bundle_version) == ("rollback", "c1")
