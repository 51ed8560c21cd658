"""Base backup and archive of a real Postgres, brought back to an instant in a folder of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from headwater.adapters.embedded import wal_archive as wal
from headwater.adapters.embedded.backup import COPY, MANIFEST, list_backups, prune, take_backup
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.embedded.restoring import restore
from headwater.domain.backup_errors import BackupError


class Backed:
    """A stopped server whose table ``t`` grew by a row per commit: 1, 2 in the backup, 3, 4, 5 after it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base, self.archive = folder / "backup" / "base", folder / "backup" / "wal"
        self.server = EmbeddedPostgres(folder / "postgres", archive=self.archive)
        self.at: dict[int, datetime] = {}
        with self.server:
            self._commit("CREATE TABLE t (n int)")
            self.add(1)
            self.first = take_backup(self.server, self.base)
            self.add(2)
            self.backup = take_backup(self.server, self.base)
            for n in (3, 4, 5):
                self.add(n)
                self._commit("SELECT pg_switch_wal()")

    def add(self, n: int) -> None:
        self._commit(f"INSERT INTO t VALUES ({n})")
        with psycopg.connect(self.server.url()) as connection:
            row = connection.execute("SELECT clock_timestamp()").fetchone()
            assert row is not None
            self.at[n] = row[0]

    def _commit(self, statement: str) -> None:
        with psycopg.connect(self.server.url()) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def once() -> Iterator[Backed]:
    # not tmp_path: pytest closes its folders to the system user that runs Postgres for root
    folder = Path(tempfile.mkdtemp(prefix="headwater restore's 100% -"))
    yield Backed(folder)
    shutil.rmtree(folder)


@pytest.fixture
def backed(once: Backed) -> Iterator[Backed]:
    """The same, for a test that harms its backups: they are whole again afterwards."""
    kept = once.folder / "kept"
    shutil.copytree(once.folder / "backup", kept)
    yield once
    shutil.rmtree(once.folder / "backup")
    kept.rename(once.folder / "backup")


def _rows(data_dir: Path) -> list[int]:
    with EmbeddedPostgres(data_dir) as server, psycopg.connect(server.url()) as connection:
        return [n for (n,) in connection.execute("SELECT n FROM t ORDER BY n")]


def test_all_that_was_archived_comes_back_and_the_server_is_a_usual_one(once: Backed) -> None:
    target = once.folder / "whole"
    done = restore(once.base, once.archive, target)
    assert done.backup == once.backup.id
    assert done.newest_commit_at is not None
    assert done.newest_commit_at <= once.at[5]
    assert _rows(target) == [1, 2, 3, 4, 5]
    assert "restore_command" not in (target / "cluster" / "postgresql.auto.conf").read_text()


def test_an_instant_comes_back_to_the_commit(once: Backed) -> None:
    target = once.folder / "instant"
    restore(once.base, once.archive, target, once.at[3])
    assert _rows(target) == [1, 2, 3]


def test_nothing_is_restored_over_data(once: Backed) -> None:
    target = once.folder / "full"
    target.mkdir()
    (target / "kept").touch()
    with pytest.raises(BackupError, match="not empty"):
        restore(once.base, once.archive, target)
    with pytest.raises(BackupError, match="not empty"):
        restore(once.base, once.archive, once.server.data_dir)
    assert (target / "kept").exists()


def test_instants_that_cannot_be_reached_are_refused_and_leave_no_folder(once: Backed) -> None:
    target = once.folder / "never"
    with pytest.raises(BackupError, match="before the backup was finished"):
        restore(once.base, once.archive, target, once.first.started_at)
    with pytest.raises(BackupError, match="archive ends before that instant") as refused:
        restore(once.base, once.archive, target, once.at[5] + timedelta(days=1))
    assert "until" in (refused.value.allowed or "")
    assert not target.exists()


def test_without_a_backup_the_words_say_how_to_take_one(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no backup yet") as refused:
        restore(tmp_path / "base", tmp_path / "wal", tmp_path / "to")
    assert "headwater backup" in (refused.value.remedy or "")


def test_a_missing_segment_is_named_and_what_is_before_it_can_be_had(backed: Backed) -> None:
    lost = wal.needed(wal.archived(backed.archive), backed.backup.first_segment)[-2]
    wal.segment_file(backed.archive, lost).unlink()
    with pytest.raises(BackupError, match="missing from the archive") as refused:
        restore(backed.base, backed.archive, backed.folder / "gap")
    assert lost in (refused.value.got or "")
    restore(backed.base, backed.archive, backed.folder / "before", backed.at[2])
    assert _rows(backed.folder / "before") == [1, 2]


def test_a_damaged_segment_is_not_taken_for_the_end_of_the_archive(backed: Backed) -> None:
    name = wal.needed(wal.archived(backed.archive), backed.backup.first_segment)[-2]
    path = wal.segment_file(backed.archive, name)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BackupError, match="damaged") as refused:
        restore(backed.base, backed.archive, backed.folder / "damaged")
    assert refused.value.got == name


def test_a_damaged_backup_and_one_of_another_version_are_refused(backed: Backed) -> None:
    place = backed.base / backed.backup.id
    manifest = place / MANIFEST
    other = backed.backup.model_copy(update={"postgres_version": "17.2"})
    manifest.write_text(other.model_dump_json())
    with pytest.raises(BackupError, match="another major version"):
        restore(backed.base, backed.archive, backed.folder / "version")
    manifest.write_text(backed.backup.model_dump_json())
    files = place / COPY / "backup_manifest"
    files.write_text(files.read_text().replace('"Checksum": "', '"Checksum": "0', 1))
    with pytest.raises(BackupError, match="not what was written"):
        _raise_got(backed)
    assert not (backed.folder / "harmed").exists()


def _raise_got(backed: Backed) -> None:
    try:
        restore(backed.base, backed.archive, backed.folder / "harmed")
    except BackupError as error:
        raise BackupError(error.got or "") from error


def test_old_backups_go_with_the_log_that_only_they_need(backed: Backed) -> None:
    assert prune(backed.base, backed.archive, 2) == ()
    assert prune(backed.base, backed.archive, 1) == (backed.first.id,)
    assert list_backups(backed.base) == (backed.backup,)
    assert min(wal.archived(backed.archive)) >= backed.backup.first_segment
    restore(backed.base, backed.archive, backed.folder / "pruned")
    assert _rows(backed.folder / "pruned") == [1, 2, 3, 4, 5]
