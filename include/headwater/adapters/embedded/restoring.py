"""Restoring an embedded Postgres from a base backup and the archive, into a folder of its own."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime

from headwater.adapters.embedded import postgres_files as files
from headwater.adapters.embedded import wal_archive as wal
from headwater.adapters.embedded.backup import COPY, PASSWORD, Backup, list_backups, postgres_version
from headwater.adapters.embedded.postgres import EmbeddedPostgres
from headwater.domain.backup_errors import BackupError
from headwater.domain.base import Value
from headwater.domain.errors import StackError

RECOVERY_SECONDS = 3600.0
_SETTINGS = (
    "restore_command",
    "recovery_target_time",
    "recovery_target_action",
    "recovery_target_timeline",
    "hot_standby",
)
_TOO_EARLY_AN_END = "recovery ended before configured recovery target was reached"
_BEFORE_CONSISTENT = "requested recovery stop point is before consistent recovery point"
_UNREADABLE = re.compile(r'could not restore file "(\w+)" from archive')


class Restored(Value):
    """``data_dir`` is an embedded Postgres' folder, stopped. ``newest_commit_at``: None when nothing was replayed."""

    data_dir: str
    backup: str
    segments: int
    newest_commit_at: AwareDatetime | None


def choose_backup(folder: Path, at: datetime | None, wanted: str | None = None) -> Backup:
    """The newest backup that was finished by then.

    :raises BackupError: when there is none, or the wanted one is not there or was finished later.
    """
    backups = list_backups(folder)
    if not backups:
        remedy = "`headwater backup` takes the first, and begins the archive."
        raise BackupError("There is no backup yet.", got=str(folder), remedy=remedy)
    named = [item for item in backups if wanted in (None, item.id)]
    fitting = [item for item in named if at is None or item.finished_at <= at]
    if fitting:
        return fitting[-1]
    if not named:
        raise BackupError("There is no backup of that id.", got=wanted, allowed=", ".join(b.id for b in backups))
    first = named[0]
    raise BackupError(
        "That instant is before the backup was finished.", got=None if at is None else at.isoformat(),
        allowed=f"{first.finished_at.isoformat()} ({first.id}) or later",
    )  # fmt: skip


def restore(
    folder: Path, archive: Path, target: Path, at: datetime | None = None, wanted: str | None = None
) -> Restored:
    """Bring the state of ``at`` back, by default the newest the archive has, and leave the server stopped.

    :param target: a folder that is absent or empty; a server's own is never written to.
    :raises BackupError: when there is no fitting backup, the archive has a gap or a damaged segment or ends before
        ``at``, the backup is damaged or of another major version, or the target is not empty.
    """
    _refuse_what_is_not_empty(target)
    backup = choose_backup(folder, at, wanted)
    _refuse_another_version(backup)
    names = wal.archived(archive)
    gaps = wal.missing(names, backup.first_segment, backup.segment_bytes)
    if gaps and at is None:
        raise _gap(gaps)
    created = not target.exists()
    try:
        segments = [name for name in wal.needed(names, backup.first_segment) if not gaps or name < gaps[0]]
        _lay_out(folder / backup.id, archive, target, segments)
        _prepare_recovery(target, at)
        newest = _recover(target, at, gaps)
    except BaseException:
        _take_back(target, remove=created)
        raise
    return Restored(data_dir=str(target), backup=backup.id, segments=len(segments), newest_commit_at=newest)


def _refuse_what_is_not_empty(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        remedy = "Name a folder that does not exist yet; nothing is restored over data."
        raise BackupError("The folder to restore to is not empty.", got=str(target), remedy=remedy)


def _refuse_another_version(backup: Backup) -> None:
    installed = postgres_version()
    if installed.split(".")[0] != backup.postgres_version.split(".")[0]:
        raise BackupError(
            f"Backup {backup.id} is of another major version of PostgreSQL.",
            got=backup.postgres_version, allowed=f"{installed.split('.')[0]}.x, as installed",
            remedy="Restore it with the version of Headwater that took it.",
        )  # fmt: skip


def _lay_out(place: Path, archive: Path, target: Path, segments: Sequence[str]) -> None:
    """The folder of an embedded Postgres, with the segments beside it: the archive itself is only read."""
    cluster = target / "cluster"
    for path in (target, cluster, target / "wal"):
        path.mkdir(parents=True, mode=0o700, exist_ok=True)
    try:
        for name, into in (("base", cluster), ("pg_wal", cluster / "pg_wal")):
            with tarfile.open(place / COPY / f"{name}.tar.gz") as packed:
                packed.extractall(into, filter="data")
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise _damaged(place, f"{type(error).__name__}: {error}") from error
    _verify(place, cluster)
    for name in segments:
        shutil.copy2(wal.segment_file(archive, name), target / "wal")
    shutil.copy2(place / PASSWORD, target / PASSWORD)


def _verify(place: Path, cluster: Path) -> None:
    """Every file of the copy is what Postgres wrote; its own pg_verifybackup does not run from the wheel."""
    told = json.loads((place / COPY / "backup_manifest").read_text())
    for entry in told["Files"]:
        path = (
            cluster / entry["Path"] if "Path" in entry else cluster / os.fsdecode(bytes.fromhex(entry["Encoded-Path"]))
        )
        if not path.is_file():
            raise _damaged(place, f"{path.relative_to(cluster)} is missing")
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != entry["Checksum"]:
                raise _damaged(place, f"{path.relative_to(cluster)} is not what was written")


def _damaged(place: Path, got: str) -> BackupError:
    remedy = "Restore an older backup: the archive carries that one forward as well."
    return BackupError(f"Backup {place.name} is damaged.", got=got[:500], remedy=remedy)


def _prepare_recovery(target: Path, at: datetime | None) -> None:
    settings = {
        "restore_command": wal.restore_command(target / "wal"),
        # of what was forked off by an earlier restore this archive may hold nothing
        "recovery_target_timeline": "current",
        "recovery_target_action": "promote",
        # nobody is let in, and the server does not count as serving, before all is replayed
        "hot_standby": "off",
    }
    if at is not None:
        settings["recovery_target_time"] = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00")
    with (target / "cluster" / "postgresql.auto.conf").open("a") as file:
        file.writelines(f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items())
    (target / "cluster" / "recovery.signal").touch()
    user = files.system_user()
    if user is not None:
        files.open_the_way(target / "cluster")
        for top in (target / "cluster", target / "wal"):
            for path in (top, *top.rglob("*")):
                files.own(path, user)


def _recover(target: Path, at: datetime | None, gaps: Sequence[str]) -> datetime | None:
    import psycopg
    from psycopg import sql

    server = EmbeddedPostgres(target, patience_seconds=RECOVERY_SECONDS)
    try:
        with server, psycopg.connect(server.url(), autocommit=True) as connection:
            row = connection.execute("SELECT pg_last_xact_replay_timestamp()").fetchone()
            for name in _SETTINGS:
                connection.execute(sql.SQL("ALTER SYSTEM RESET {}").format(sql.Identifier(name)))
    except StackError as error:
        raise _explained(server.log, at, gaps, error) from error
    shutil.rmtree(target / "wal")
    newest: datetime | None = row[0] if row else None
    return newest


def _explained(log: Path, at: datetime | None, gaps: Sequence[str], error: StackError) -> BackupError:
    told = log.read_text(errors="replace") if log.exists() else ""
    damaged = _UNREADABLE.search(told)
    if damaged is not None:
        remedy = "Bring the segment back from a copy of the archive, or restore an instant before it."
        return BackupError("A segment of the archive is damaged.", got=damaged[1], remedy=remedy)
    if at is not None and _BEFORE_CONSISTENT in told:
        return BackupError("That instant is before the backup became consistent.", got=at.isoformat())
    if at is not None and _TOO_EARLY_AN_END in told:
        if gaps:
            return _gap(gaps)
        last = re.findall(r"last completed transaction was at log time (.+)", told)
        return BackupError(
            "The archive ends before that instant.", got=at.isoformat(),
            allowed=f"until {last[-1]}" if last else None,
            remedy="Wait until the log of then is archived (half a minute), or restore without --at what there is.",
        )  # fmt: skip
    return BackupError("The recovery failed.", got=(error.got or error.message)[-500:])


def _gap(gaps: Sequence[str]) -> BackupError:
    return BackupError(
        f"{len(gaps)} segments of the log are missing from the archive, so what came after cannot be restored.",
        got=", ".join(gaps[:5]),
        remedy="Bring them back from a copy of the archive, start from a later backup, or name an instant before.",
    )


def _take_back(target: Path, *, remove: bool) -> None:
    """Nothing half restored stays, which somebody could take for the whole."""
    if remove:
        shutil.rmtree(target, ignore_errors=True)
        return
    for path in list(target.iterdir()):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
