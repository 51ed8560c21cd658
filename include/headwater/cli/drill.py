"""``dr-drill``: lose the databases, on paper, and bring them back beside the living ones."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from headwater.adapters.embedded import wal_archive as wal
from headwater.adapters.embedded.backup import Backup, list_backups, take_backup
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.adapters.embedded.restoring import restore
from headwater.cli.drill_beats import Beat, Beats, beating, beats_of
from headwater.domain.backup_errors import BackupError
from headwater.domain.settings import CatalogSettings

if TYPE_CHECKING:
    from headwater.adapters.duckdb.comparing import ReleasesCompared, Snapshots
    from headwater.adapters.embedded.stack import EmbeddedStack
    from headwater.domain.release import Release

RPO_SECONDS, RTO_SECONDS = 60.0, 3600.0
"""The goals: at most a minute of commits lost, at most an hour until everything answers again."""
_ARCHIVED_SECONDS = wal.ARCHIVE_SECONDS * 3.0
_ALL = 1_000_000


@dataclass(frozen=True)
class DrillReport:
    """What was reached. ``rpo_seconds``: age of the oldest commit that was not archived yet, at its worst;
    ``rto_seconds``: from the loss until run store and catalog answered.
    """

    rpo_seconds: float
    rto_seconds: float
    rebuild_seconds: float
    restored_to: datetime
    beats_expected: int
    beats_restored: int
    restored: ReleasesCompared
    rebuilt: ReleasesCompared
    tables_rebuilt: int

    @property
    def good(self) -> bool:
        """Whether all rows are back, to the commit, within both goals."""
        whole = self.beats_restored == self.beats_expected and self.restored.releases > 0
        equal = not self.restored.differences and not self.rebuilt.differences
        return whole and equal and self.rpo_seconds <= RPO_SECONDS and self.rto_seconds <= RTO_SECONDS


def drill(stack: EmbeddedStack, say: Callable[[str], None]) -> DrillReport:
    """Back up, go on committing, restore to an instant on another port, compare; nothing of it stays.

    :raises BackupError: when nothing was released yet, or a step of a real recovery would have failed.
    """
    from headwater.adapters.duckdb.comparing import Snapshots, compare_releases

    if not _releases(stack.postgres):
        raise BackupError("Nothing was released yet, so there is nothing to compare.", remedy="Run `make demo` first.")
    with _room(stack) as room:
        say("backing up, and committing on")
        backup, kept, lost_at, first = _until_archived(stack.postgres, room)
        say(f"restoring to {kept.at.astimezone(UTC):%H:%M:%S.%f} on another port")
        begun = time.monotonic()
        archive = _archive(stack)
        restore(room / "base", archive, room / "restored", kept.at, backup.id)
        with EmbeddedPostgres(room / "restored") as server:
            _make_read_only(server)
            back, back_at = _releases(server), Snapshots(_catalog(stack, server, "catalog"))
            rto_seconds = time.monotonic() - begun
            living = _known_then(_releases(stack.postgres), back, kept.at)
            living_at = Snapshots(stack.settings().catalog)
            say(f"comparing {len(living)} releases row by row")
            restored = compare_releases(living, living_at, back, back_at)
            say("rebuilding the catalog from metadata files alone")
            begun = time.monotonic()
            tables, rebuilt_at = _rebuild(stack, server, back)
            rebuild_seconds = time.monotonic() - begun
            rebuilt = compare_releases(living, living_at, back, rebuilt_at)
            beats = beats_of(server)
    return DrillReport(
        rpo_seconds=(lost_at - first.at).total_seconds(), rto_seconds=rto_seconds, rebuild_seconds=rebuild_seconds,
        restored_to=kept.at, beats_expected=kept.number, beats_restored=beats,
        restored=restored, rebuilt=rebuilt, tables_rebuilt=tables,
    )  # fmt: skip


def _archive(stack: EmbeddedStack) -> Path:
    if stack.postgres.archive is None:
        raise BackupError("This Postgres keeps no archive.")
    return stack.postgres.archive


@contextmanager
def _room(stack: EmbeddedStack) -> Iterator[Path]:
    """A folder for the drill; the archive, if the drill begins it, is gone with it."""
    archive = _archive(stack)
    began = wal.open_archive(archive)
    room = Path(tempfile.mkdtemp(prefix="drill-", dir=stack.home / "run"))
    try:
        yield room
    finally:
        shutil.rmtree(room)
        if began and not list_backups(stack.backups):
            shutil.rmtree(archive)
            if not any(archive.parent.iterdir()):
                archive.parent.rmdir()


def _until_archived(server: EmbeddedPostgres, room: Path) -> tuple[Backup, Beat, datetime, Beat]:
    """Wait until commits after a backup are archived.

    :returns: the backup; the commit to restore to, the last but one archived; when its segment was there; the first
        commit in that segment, which until then would have been lost with the machine.
    """
    with beating(server) as beats:
        backup = take_backup(server, room / "base")
        deadline = time.monotonic() + _ARCHIVED_SECONDS
        while time.monotonic() < deadline:
            found = _archived_beats(server, beats, backup)
            if len(found) > 1:
                return backup, found[-2], datetime.now(UTC), found[0]
            time.sleep(0.1)
    raise BackupError(
        f"No commit after the backup was archived in {_ARCHIVED_SECONDS:.0f} s.",
        remedy=f"Read why the archive command fails: {server.log}",
    )


def _archived_beats(server: EmbeddedPostgres, beats: Beats, backup: Backup) -> list[Beat]:
    archive = server.archive
    names = wal.needed(wal.archived(archive), backup.first_segment) if archive is not None else ()
    for name in reversed(names):
        found = [b for b in beats.in_segment(name, backup.segment_bytes) if b.at > backup.finished_at]
        if found:
            return found
    return []


def _releases(server: EmbeddedPostgres) -> tuple[Release, ...]:
    """The published ones, newest first."""
    from headwater.adapters.run_store import SqlRunStore

    with closing(SqlRunStore(server.url("headwater", "psycopg"))) as runs:
        return tuple(release for release in runs.releases(limit=_ALL) if release.status == "published")


def _known_then(living: tuple[Release, ...], back: tuple[Release, ...], at: datetime) -> tuple[Release, ...]:
    """The living releases of before the instant, and whatever the restored side has besides."""
    there = {release.id for release in back}
    return tuple(r for r in living if r.id in there or (r.published_at or r.created_at) < at)


def _make_read_only(server: EmbeddedPostgres) -> None:
    """Nothing that looks at what was restored can change it."""
    import psycopg

    with psycopg.connect(server.url(), autocommit=True) as connection:
        for name in ("headwater", "catalog"):
            connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())


def _catalog(stack: EmbeddedStack, server: EmbeddedPostgres, database: str) -> CatalogSettings:
    settings = stack.settings().catalog
    return settings.model_copy(update={"uri": SecretStr(server.url(database, "psycopg"))})


def _rebuild(stack: EmbeddedStack, server: EmbeddedPostgres, back: tuple[Release, ...]) -> tuple[int, Snapshots]:
    from headwater.adapters.duckdb.comparing import Snapshots
    from headwater.adapters.iceberg.rebuilding import rebuild_catalog

    server.create_databases(["rebuilt"])
    settings = _catalog(stack, server, "rebuilt")
    return len(rebuild_catalog(settings, back).registered), Snapshots(settings)
