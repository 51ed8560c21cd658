"""Files that tasks and drivers share: whole or not there, in a folder or behind any of Arrow's file systems."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyarrow.fs import LocalFileSystem

from headwater.adapters.spark_applications.shared_folder import (
    BucketFolder,
    LocalFolder,
    SharedFolder,
    open_shared_folder,
)


@pytest.fixture(params=["local", "bucket"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> SharedFolder:
    if request.param == "local":
        return open_shared_folder(f"file://{tmp_path}/100%20 ö x")
    for name in ("key/a", "other"):  # a bucket needs none
        (tmp_path / "b" / name).mkdir(parents=True)
    return BucketFolder(LocalFileSystem(), str(tmp_path / "b"))


def test_what_is_written_is_read_and_what_is_not_there_is_none(folder: SharedFolder) -> None:
    assert folder.read("key/job.json") is None
    folder.write("key/job.json", "ä")
    folder.write("key/job.json", "ö")
    assert folder.read("key/job.json") == "ö"


def test_a_folder_goes_with_all_that_is_in_it_and_twice(folder: SharedFolder) -> None:
    folder.write("key/job.json", "x")
    folder.remove("key")
    folder.remove("key")
    assert folder.read("key/job.json") is None


def test_files_are_listed_by_their_names_from_the_folder(folder: SharedFolder) -> None:
    assert list(folder.files("none")) == []
    for name in ("key/claim.json", "key/a/job.json", "other/claim.json"):
        folder.write(name, "ä")
    assert sorted(file.name for file in folder.files()) == ["key/a/job.json", "key/claim.json", "other/claim.json"]
    found = folder.files("key")
    assert {(file.name, file.size_bytes) for file in found} == {("key/a/job.json", 2), ("key/claim.json", 2)}
    assert all(abs((datetime.now(UTC) - file.written_at).total_seconds()) < 3600 for file in found)


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    folder, texts = LocalFolder(tmp_path), ["a" * 200_000, "b" * 200_000]
    folder.write("f", texts[0])

    def write_again() -> None:
        for turn in range(20):
            folder.write("f", texts[turn % 2])

    writer = threading.Thread(target=write_again)
    writer.start()
    seen = set()
    while writer.is_alive():
        seen.add(folder.read("f"))
    writer.join()
    assert seen <= set(texts)
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_an_unknown_place_is_refused() -> None:
    with pytest.raises(Exception, match="nowhere"):
        open_shared_folder("nowhere://x/y")


def test_a_folder_is_called_what_its_location_says(tmp_path: Path) -> None:
    """As Iceberg takes a warehouse's location: what Spark writes beside the job is removed with it."""
    open_shared_folder(f"file://{tmp_path}/100%20 x").write("key/job.json", "{}")
    assert (tmp_path / "100%20 x" / "key" / "job.json").exists()
