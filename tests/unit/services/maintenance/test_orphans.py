"""Files that only releases, states and attempts refer to are no orphans (rule 29)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.services.maintenance.orphans import deletable, is_metadata_file, plain

FOLDER = "/lake/bronze/shop__orders"


@pytest.mark.parametrize(
    "name",
    ["ledger-0a1b.json", "source-columns-0a1b.json", "notes.txt", "ledger-0a1b.json.new", "version-hint.text"],
)
def test_what_iceberg_did_not_write_beside_the_metadata_is_spared(name: str) -> None:
    assert deletable([f"{FOLDER}/metadata/{name}"], (), ()) == ()


@pytest.mark.parametrize(
    "path",
    [
        f"{FOLDER}/data/00000-a.parquet",
        f"{FOLDER}/metadata/snap-1-2.avro",
        f"{FOLDER}/metadata/0a1b-m0.avro",
        f"{FOLDER}/metadata/00001-a.metadata.json",
        f"{FOLDER}/metadata/1-a.stats",
    ],
)
def test_what_iceberg_wrote_and_nothing_refers_to_goes(path: str) -> None:
    assert deletable([path], ["/lake/other"], ["0a1b2c"]) == (path,)


@pytest.mark.parametrize("written", ["file:///lake/a.parquet", "file:/lake/a.parquet", "/lake/a.parquet"])
@pytest.mark.parametrize("spared", ["file:///lake/a.parquet", "file:/lake/a.parquet", "/lake/a.parquet"])
def test_a_spared_path_is_spared_however_it_is_written(written: str, spared: str) -> None:
    assert deletable([written], [spared], ()) == ()


def test_stores_are_told_apart_by_their_bucket() -> None:
    assert deletable(["s3://a/x.parquet"], ["s3://b/x.parquet"], ()) == ("s3://a/x.parquet",)
    assert deletable(["s3://a/x.parquet"], ["s3://a/x.parquet"], ()) == ()


def test_what_a_live_attempt_wrote_is_spared() -> None:
    assert deletable([f"{FOLDER}/data/hw_abc/1.parquet"], (), ["abc"]) == ()


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("00001-a.metadata.json", True), ("00001-a.gz.metadata.json", True), ("00001-a.metadata.json.gz", True),
     ("ledger-a.json", False), ("snap-1.avro", False)],
)  # fmt: skip
def test_metadata_files_are_known_by_their_names(name: str, is_one: bool) -> None:
    assert is_metadata_file(f"{FOLDER}/metadata/{name}") is is_one


_NAMES = st.text("abcdef0123456789-_./", min_size=1, max_size=40)


@given(st.lists(_NAMES), st.lists(_NAMES), st.lists(st.text("0123456789abcdef", min_size=4, max_size=8)))
def test_nothing_spared_is_ever_deletable(found: list[str], spared: list[str], attempts: list[str]) -> None:
    gone = deletable([*found, *spared, *(f"x{attempt}y" for attempt in attempts)], spared, attempts)
    assert not {plain(path) for path in gone} & {plain(path) for path in spared}
    assert not any(attempt in path for attempt in attempts for path in gone)
    assert set(gone) <= set(found)
