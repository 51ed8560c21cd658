"""Base backups of an embedded Postgres: all databases of one instant, in a folder that needs nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from pydantic import AwareDatetime, ValidationError

from headwater.adapters.embedded import postgres_files as files
from headwater.adapters.embedded import wal_archive as wal
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.domain.backup_errors import BackupError
from headwater.domain.base import Value

MANIFEST = "manifest.json"
COPY = "copy"
"""The folder of what pg_basebackup wrote, and nothing else."""
PASSWORD = "password"  # noqa: S105 - a file's name


class Backup(Value):
    """What a backup is, written when it is whole: a folder without it was never finished.

    :param id: ``b-<yyyymmddThhmmss>-<4 hex>`` of its start; sorts by time.
    :param end_lsn: the backup is consistent from here on; an earlier instant cannot be restored from it.
    """

    id: str
    started_at: AwareDatetime
    finished_at: AwareDatetime
    postgres_version: str
    system_identifier: str
    timeline: int
    start_lsn: str
    end_lsn: str
    segment_bytes: int
    databases: tuple[str, ...]
    size_bytes: int

    @property
    def first_segment(self) -> str:
        """The first segment that a recovery from it reads."""
        return wal.segment_of(self.timeline, wal.lsn(self.start_lsn), self.segment_bytes)


def list_backups(folder: Path) -> tuple[Backup, ...]:
    """The finished backups, oldest first. :raises BackupError: when a manifest cannot be read."""
    return tuple(_read(path) for path in sorted(folder.glob(f"b-*/{MANIFEST}")))


def _read(path: Path) -> Backup:
    try:
        return Backup.model_validate_json(path.read_text())
    except (OSError, ValidationError) as error:
        raise BackupError(
            f"The manifest of backup {path.parent.name} cannot be read.", got=str(error).splitlines()[0],
            remedy=f"Restore another backup; remove {path.parent} when it is of no more use.",
        ) from None  # fmt: skip


def take_backup(server: EmbeddedPostgres, folder: Path) -> Backup:
    """Copy all databases of a server that serves, and begin its archive where this is the first backup.

    :param folder: where backups are kept; this one gets a folder of its own there, closed to others. It holds the
        superuser's password too, without which nobody could open what was restored.
    :raises BackupError: when the server does not archive, is another one than the folder's, or the copy fails.
    """
    if server.archive is None:
        raise BackupError("This Postgres keeps no archive, so a backup of it could not be carried forward.")
    _refuse_without_archiving(server)
    wal.open_archive(server.archive)
    started = datetime.now(UTC)
    place = folder / f"b-{started:%Y%m%dT%H%M%S%f}-{uuid4().hex[:4]}"
    place.mkdir(parents=True, mode=0o700)
    try:
        _copy(server, place)
        backup = _described(server, place, started)
        _refuse_another_server(backup, list_backups(folder))
        shutil.copy2(server.data_dir / PASSWORD, place / PASSWORD)
        (place / MANIFEST).write_text(backup.model_dump_json(indent=2))
    except BaseException:
        shutil.rmtree(place)
        raise
    return backup


def prune(folder: Path, archive: Path, keep: int) -> tuple[str, ...]:
    """Remove all but the newest ``keep`` backups, and the log that only they need. :returns: the ids removed."""
    backups = list_backups(folder)
    gone = backups[: max(0, len(backups) - keep)]
    for backup in gone:
        shutil.rmtree(folder / backup.id)
    if gone:
        oldest = backups[len(gone)].first_segment
        for name in wal.archived(archive):
            if name < oldest:
                wal.segment_file(archive, name).unlink()
    return tuple(backup.id for backup in gone)


def postgres_version() -> str:
    """Version of the installed Postgres, such as ``18.4``."""
    told = subprocess.run([str(files.program("postgres")), "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"\d+(\.\d+)*", told.stdout)
    return found[0] if found else told.stdout.strip()


def _refuse_without_archiving(server: EmbeddedPostgres) -> None:
    import psycopg

    with psycopg.connect(server.url()) as connection:
        row = connection.execute("SHOW archive_mode").fetchone()
    if row != ("on",):
        raise BackupError(
            "The Postgres that serves was started without an archive.",
            remedy="Stop everything that uses it (`make demo-stop`), then back up again: a start switches it on.",
        )


def _copy(server: EmbeddedPostgres, place: Path) -> None:
    command = [
        str(files.program("pg_basebackup")),
        "--pgdata",
        str(place / COPY),
        "--format=tar",
        "--compress=client-gzip:1",
    ]
    command += ["--wal-method=stream", "--checkpoint=fast", "--no-password", "--manifest-checksums=SHA256"]
    command += ["--host=127.0.0.1", f"--port={server.port}", "--username=postgres"]
    done = subprocess.run(
        command, env={**os.environ, "PGPASSWORD": server.password}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BackupError("pg_basebackup failed.", got=done.stderr.strip()[-500:])


def _described(server: EmbeddedPostgres, place: Path, started: datetime) -> Backup:
    import psycopg

    told = json.loads((place / COPY / "backup_manifest").read_text())
    [span] = told["WAL-Ranges"]
    with psycopg.connect(server.url()) as connection:
        names = connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1").fetchall()
        row = connection.execute(
            "SELECT current_setting('server_version'), setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'"
        ).fetchone()
    version, segment_bytes = row if row is not None else ("", 0)
    return Backup(
        id=place.name,
        started_at=started,
        finished_at=datetime.now(UTC),
        postgres_version=str(version),
        system_identifier=str(told["System-Identifier"]),
        timeline=span["Timeline"],
        start_lsn=span["Start-LSN"],
        end_lsn=span["End-LSN"],
        segment_bytes=int(segment_bytes),
        databases=tuple(str(name) for (name,) in names),
        size_bytes=sum(path.stat().st_size for path in (place / COPY).iterdir()),
    )


def _refuse_another_server(backup: Backup, known: Sequence[Backup]) -> None:
    other = next((item for item in known if item.system_identifier != backup.system_identifier), None)
    if other is not None:
        raise BackupError(
            "The folder holds backups of another Postgres, whose log must not mix with this one's.",
            got=f"system {backup.system_identifier}", allowed=f"system {other.system_identifier}, as in {other.id}",
            remedy="Move the backup folder away, archive and all; then back up again.",
        )  # fmt: skip
