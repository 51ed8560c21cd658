"""Which metadata file a lost catalog pointed at (rules 14, 16, 19)."""

from __future__ import annotations

import pytest

from headwater.adapters.iceberg.metadata_files import MetadataFile, Record, names_of, newest, version_of
from headwater.domain.backup_errors import BackupError

UUID = "0" * 8 + "-0000-0000-0000-" + "0" * 12


def _file(version: int, main: int, says: str = "", folder: str = "silver/s__t", **changes: object) -> MetadataFile:
    values: dict[str, object] = {
        "location": f"file:///w/{folder}/metadata/{version:05d}-{len(says):08x}-a.metadata.json",
        "version": version,
        "uuid": UUID,
        "main": main,
        "branches": frozenset(),
        "published": True,
        "sequence": version,
        "updated_ms": version,
        "says": says,
    }
    return MetadataFile(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("00012-6f0a1c2e-1111-4222-8333-444444444444.metadata.json", 12),
        ("00003-6f0a1c2e-1111-4222-8333-444444444444.gz.metadata.json", 3),
        ("snap-123-1-6f0a.avro", None),
        ("ledger.json", None),
    ],
)
def test_only_metadata_files_have_a_version(name: str, version: int | None) -> None:
    assert version_of(f"s3://b/w/silver/s__t/metadata/{name}") == version


def test_the_highest_number_is_the_newest_not_the_clock() -> None:
    files = [_file(2, 7, updated_ms=99), _file(10, 8, updated_ms=1), _file(9, 6)]
    assert newest("silver.s.t", files) is files[1]


def test_a_publish_that_died_before_its_commit_is_not_taken_for_done() -> None:
    released, orphan = _file(5, 7, "released"), _file(6, 8, "died")
    record = Record("r-1", 7, released.location)
    assert newest("silver.s.t", [released, orphan], record) is released
    assert newest("silver.s.t", [released, orphan]) is orphan


def test_what_was_staged_after_the_release_is_kept() -> None:
    released, staged = _file(5, 7, "a"), _file(6, 7, "b", branches=frozenset({"hw_1"}))
    assert newest("silver.s.t", [released, staged], Record("r-1", 7, released.location)) is staged


def test_a_state_from_before_the_release_does_not_count_although_it_shows_the_snapshot() -> None:
    """After a rollback ``main`` is where it was once before."""
    before, released = _file(3, 7, "a"), _file(5, 7, "b")
    assert newest("silver.s.t", [before, released], Record("r-2", 7, released.location)) is released
    with pytest.raises(BackupError, match="no metadata file shows"):
        newest("silver.s.t", [before], Record("r-2", 7, released.location))


def test_two_of_one_number_are_refused_unless_they_say_the_same() -> None:
    with pytest.raises(BackupError, match="say different things") as refused:
        newest("silver.s.t", [_file(6, 7, "a"), _file(6, 8, "bb")])
    assert "--choose" in (refused.value.remedy or "")
    same = [_file(6, 7, "a", updated_ms=1), _file(6, 7, "a", updated_ms=2)]
    assert newest("silver.s.t", same) is same[1]


def test_a_swapped_table_is_named_by_its_release_and_the_old_one_is_kept_apart() -> None:
    old, new = _file(9, 7), _file(3, 8, folder="silver/s__t__hw_1")
    chosen = {("silver", "s__t"): old, ("silver", "s__t__hw_1"): new}
    named = names_of(chosen, {"silver.s.t": new.location.removeprefix("file://")})
    assert named == {("silver", "s__t"): new, ("silver", f"s__t__was_{'0' * 32}"): old}


def test_without_a_release_two_published_homes_are_refused_until_one_is_chosen() -> None:
    old, new = _file(9, 7), _file(3, 8, folder="silver/s__t__hw_1")
    chosen = {("silver", "s__t"): old, ("silver", "s__t__hw_1"): new}
    with pytest.raises(BackupError, match="2 physical tables"):
        names_of(chosen, {})
    named = names_of(chosen, {}, frozenset({new.location}))
    assert named["silver", "s__t"] is new


def test_what_is_staged_apart_keeps_its_name() -> None:
    live, staged = _file(9, 7), _file(1, 8, folder="silver/s__t__hw_1", published=False)
    chosen = {("silver", "s__t"): live, ("silver", "s__t__hw_1"): staged}
    assert names_of(chosen, {}) == chosen


def test_tables_of_others_keep_their_names() -> None:
    other = _file(1, 1, folder="silver/Theirs")
    assert names_of({("silver", "Theirs"): other}, {}) == {("silver", "Theirs"): other}
