"""The archive of an embedded Postgres' write-ahead log: finished segments, gzipped, in one folder.

It begins with the folder, which the first backup makes: log from before a backup restores nothing, and a demo that
nobody backs up should cost nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection
from pathlib import Path

from headwater.adapters.embedded import postgres_files as files

ARCHIVE_SECONDS = 30
"""A segment is finished after this long at the latest, so no more than this is lost with the machine's disk."""
DAMAGED = 126
"""Exit code of the restore command that ends a recovery; lower ones mean the end of the archive (Postgres' rule)."""
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_SUFFIX = ".gz"


def open_archive(folder: Path) -> bool:
    """Begin the archive. :returns: whether it was not there before."""
    if folder.is_dir():
        return False
    folder.mkdir(parents=True, mode=0o700)
    user = files.system_user()
    if user is not None:
        files.open_the_way(folder)
        files.own(folder, user)
    return True


def server_options(folder: Path) -> dict[str, str]:
    """What a server is started with, so that it archives as soon as the folder is there."""
    kept = f"{_shell(folder)}/%f{_SUFFIX}"
    draft = f"{_shell(folder)}/.%f.part"
    # after a crash Postgres may bring a segment again, which is right only if it holds the same
    again = f"{{ gzip -dc {kept} 2>/dev/null | cmp -s - %p; }}"
    new = f"{{ test ! -e {kept} && gzip -1c %p > {draft} && sync {draft} && mv {draft} {kept}; }}"
    return {
        "archive_mode": "on",
        "archive_timeout": str(ARCHIVE_SECONDS),
        "archive_command": f"test ! -d {_shell(folder)} || {again} || {new}",
    }


def restore_command(folder: Path) -> str:
    """How a recovery fetches a segment. A damaged one ends the recovery instead of looking like the archive's end."""
    kept = f"{_shell(folder)}/%f{_SUFFIX}"
    return f"test -f {kept} || exit 1; gzip -dc {kept} > %p || exit {DAMAGED}"


def _shell(folder: Path) -> str:
    """The folder in a command of Postgres', which reads %p and %f, then in a shell."""
    return shlex.quote(str(folder)).replace("%", "%%")


def archived(folder: Path) -> tuple[str, ...]:
    """Names of the archived segments in the order of the log, timeline by timeline."""
    names = (path.name.removesuffix(_SUFFIX) for path in folder.glob(f"*{_SUFFIX}"))
    return tuple(sorted(name for name in names if _SEGMENT.fullmatch(name)))


def segment_file(folder: Path, name: str) -> Path:
    return folder / f"{name}{_SUFFIX}"


def lsn(text: str) -> int:
    """``0/3000028`` as a number of bytes."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def segment_of(timeline: int, position: int, segment_bytes: int) -> str:
    """Name of the segment that holds the byte at ``position``."""
    number = position // segment_bytes
    per_log = (1 << 32) // segment_bytes
    return f"{timeline:08X}{number // per_log:08X}{number % per_log:08X}"


def segment_end(name: str, segment_bytes: int) -> int:
    """Position of the first byte after the segment."""
    return (int(name[8:16], 16) << 32) + (int(name[16:], 16) + 1) * segment_bytes


def needed(names: Collection[str], first: str) -> tuple[str, ...]:
    """Those from ``first`` on, of its timeline."""
    return tuple(sorted(name for name in names if name[:8] == first[:8] and name >= first))


def missing(names: Collection[str], first: str, segment_bytes: int) -> tuple[str, ...]:
    """Segments that are not there although a later one of the timeline is, from ``first`` on."""
    there = set(needed(names, first))
    gone, name = [], first
    while there and name < max(there):
        if name not in there:
            gone.append(name)
        name = segment_of(int(name[:8], 16), segment_end(name, segment_bytes), segment_bytes)
    return tuple(gone)
