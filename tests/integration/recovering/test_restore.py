"""Base backup and archive of a real Postgres, brought back to an instant in a folder of their own."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from headwater.adapters.embedded import wal_archive as wal
from headwater.adapters.embedded.backup import MANIFEST, Backup, list_backups, prune, take_backup
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.embedded.restoring import restore
from headwater.domain.errors import BackupError


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
