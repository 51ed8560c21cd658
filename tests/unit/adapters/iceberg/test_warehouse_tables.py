"""Which folders of a warehouse only drops left (rules 14, 41)."""

from __future__ import annotations

from headwater.adapters.iceberg.metadata_files import Identifier, MetadataFile
from headwater.adapters.iceberg.warehouse_tables import dropped_places

LIVE, STAGED = ("silver", "s__t"), ("silver", "s__t__hw_1")


def folders(**published: bool) -> dict[Identifier, list[MetadataFile]]:
    """Physical tables by their folder, and whether they were ever published."""
    return {("silver", folder): [_file(folder, is_published)] for folder, is_published in published.items()}


def _file(folder: str, is_published: bool) -> MetadataFile:
    return MetadataFile(
        location=f"file:///w/silver/{folder}/metadata/00001-a.metadata.json", version=1, uuid="u", main=1,
        branches=frozenset(), published=is_published, sequence=1, updated_ms=1, says="",
    )  # fmt: skip


def noted(*places: Identifier) -> set[str]:
    return {f"/w/{namespace}/{folder}" for namespace, folder in places}


def test_a_table_that_was_replaced_and_dropped_is_gone() -> None:
    assert dropped_places(folders(s__t=True, s__t__hw_1=True), noted(LIVE), ()) == {LIVE}
    assert dropped_places(folders(s__t=True, s__t__hw_1=True), (), ()) == frozenset()


def test_a_table_that_was_staged_and_dropped_is_gone_whatever_else_is_there() -> None:
    assert dropped_places(folders(s__t=True, s__t__hw_1=False), noted(STAGED), ()) == {STAGED}
    assert dropped_places(folders(s__t__hw_1=False), noted(STAGED), ()) == {STAGED}


def test_a_note_says_nothing_of_the_only_table_that_was_published() -> None:
    """A drop was killed after its note, and the table was swapped in."""
    assert dropped_places(folders(s__t=True), noted(LIVE), ()) == frozenset()
    assert dropped_places(folders(s__t=False, s__t__hw_1=True), noted(STAGED), ()) == frozenset()
    assert dropped_places(folders(s__t=True, s__u=True), noted(LIVE), ()) == frozenset(), "another name is no successor"


def test_two_that_were_noted_are_left_for_somebody_to_choose() -> None:
    assert dropped_places(folders(s__t=True, s__t__hw_1=True), noted(LIVE, STAGED), ()) == frozenset()


def test_what_a_release_or_somebody_names_is_there() -> None:
    both = folders(s__t=True, s__t__hw_1=True)
    assert dropped_places(both, noted(STAGED), noted(STAGED)) == frozenset()
    assert dropped_places(both, noted(LIVE, STAGED), noted(STAGED)) == {LIVE}
