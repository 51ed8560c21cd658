"""The bytes of a file, unpacked as a stream: nothing is written, and nothing may grow without bound."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from headwater.adapters.sources.files.landing import PACKINGS, Landing
from headwater.adapters.sources.files.ledger import LandedFile

FREE_BYTES = 64 << 20
"""What any file may grow to, however small it is."""
_BUFFER_BYTES = 1 << 20
_NESTED = (*PACKINGS, "7z", "rar", "tar", "bz2", "xz")


@dataclass(frozen=True, slots=True)
class Part:
    """A stream of unpacked bytes. ``name`` is the file's path, for a member of an archive with ``!member``."""

    name: str
    content: BinaryIO


def packing_of(landing: Landing, path: str) -> str:
    """``none``, ``gzip``, ``zstd`` or ``zip``."""
    if landing.extract.compression != "auto":
        return landing.extract.compression
    return PACKINGS.get(path.lower().rpartition(".")[2], "none")


def parts_of(landing: Landing, file: LandedFile, local: Path) -> Iterator[Part]:
    """The file's contents, one after the other; each has to be read before the next.

    :raises SourceDataError: when it is damaged, grows beyond ``max_expansion``, or an archive holds what it must not.
    """
    packing = packing_of(landing, file.path)
    if packing == "none":
        with local.open("rb") as content:
            yield Part(file.path, content)
        return
    bound = max(FREE_BYTES, file.size * landing.extract.max_expansion)
    if file.size == 0:
        raise landing.refusal(file.path, f"is no {packing} file", "0 bytes", f"a whole {packing} file")
    with local.open("rb") as packed:
        guard = _Guard(landing, file, packing, bound)
        if packing == "zip":
            yield from _members(packed, guard)
            return
        import pyarrow as pa

        yield Part(file.path, guard.stream(pa.CompressedInputStream(pa.PythonFile(packed), packing)))


@dataclass(slots=True)
class _Guard:
    """Counts what comes out of one file."""

    landing: Landing
    file: LandedFile
    packing: str
    bound: int
    grown: int = 0

    def stream(self, raw: Any) -> BinaryIO:
        return io.BufferedReader(_Guarded(raw, self), _BUFFER_BYTES)

    def count(self, size: int) -> None:
        self.grown += size
        if self.grown > self.bound:
            got = f"more than {self.bound:,} bytes out of {self.file.size:,}"
            allowed = f"{self.landing.extract.max_expansion} times its size, or {FREE_BYTES >> 20} MiB"
            remedy = "Look at the file; where it is meant, raise `max_expansion` in the extract of this table."
            raise self.landing.refusal(self.file.path, "grows too much when unpacked", got, allowed, remedy)

    def refuse(self, what: str, got: str, allowed: str) -> Exception:
        return self.landing.refusal(self.file.path, what, got, allowed)


class _Guarded(io.RawIOBase):
    def __init__(self, raw: Any, guard: _Guard) -> None:
        self._raw, self._guard = raw, guard

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            read = self._raw.read(len(buffer))
        except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            damage = str(error)[:200]
        else:
            self._guard.count(len(read))
            buffer[: len(read)] = read
            return len(read)
        raise self._guard.refuse("is damaged", damage, f"a whole {self._guard.packing} file")


def _members(packed: BinaryIO, guard: _Guard) -> Iterator[Part]:
    try:
        archive = zipfile.ZipFile(packed)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        damage = str(error)[:200]
    else:
        with archive:
            members = sorted(_checked(archive, guard), key=lambda item: item.filename)
            if not members:
                got = (
                    f"{len(archive.infolist())} entries: folders and hidden files" if archive.infolist() else "nothing"
                )
                raise guard.refuse("holds no data file", got, "one data file or more")
            for member in members:
                with _opened(archive, member, guard) as content:
                    yield Part(f"{guard.file.path}!{member.filename}", guard.stream(content))
        return
    raise guard.refuse("is no zip archive", damage, "a whole zip file")


def _opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo, guard: _Guard) -> Any:
    try:
        return archive.open(member)
    except (zipfile.BadZipFile, RuntimeError, OSError) as error:
        damage = str(error)[:200]
    raise guard.refuse("is damaged", damage, "members that are stored or deflated")


def _checked(archive: zipfile.ZipFile, guard: _Guard) -> Iterator[zipfile.ZipInfo]:
    """The members that hold data. None is ever written to disk, yet a path that would escape betrays a forged file."""
    seen: set[str] = set()
    for member in archive.infolist():
        path, mode = PurePosixPath(member.filename.replace("\\", "/")), member.external_attr >> 16
        if path.is_absolute() or ".." in path.parts or ":" in str(path) or stat.S_ISLNK(mode):
            raise guard.refuse("holds a path that escapes", member.filename[:200], "plain files below the archive")
        if member.flag_bits & 1:
            raise guard.refuse("is encrypted", member.filename[:200], "members without a password")
        if member.is_dir() or path.name.startswith(".") or path.parts[:1] == ("__MACOSX",):
            continue
        if path.suffix.lower().lstrip(".") in _NESTED:
            raise guard.refuse("holds an archive", member.filename[:200], "data files")
        if member.filename in seen:
            raise guard.refuse("holds a member twice", member.filename[:200], "each name once")
        seen.add(member.filename)
        yield member
