"""Small files that a task and a driver on another machine share: in a folder, or in a bucket."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from headwater.domain.errors import EngineError

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem


class SharedFile(NamedTuple):
    """A file somewhere below the folder: its name from there, and when it was last written, in UTC."""

    name: str
    written_at: datetime
    size_bytes: int


class SharedFolder(Protocol):
    """Names are relative, with ``/``. A file is there whole or not at all."""

    def read(self, name: str) -> str | None:
        """The text of a file, or None. :raises OSError: when the storage does not answer."""
        ...

    def write(self, name: str, text: str) -> None:
        """:raises OSError: when the storage does not take it."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that is in it; nothing when there is none."""
        ...

    def files(self, name: str = "") -> Sequence[SharedFile]:
        """Every file below a folder of it. :raises OSError: when the storage does not answer."""
        ...


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder of this machine, or a volume that several mount."""

    root: Path

    def read(self, name: str) -> str | None:
        try:
            return (self.root / name).read_text()
        except FileNotFoundError:
            return None

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{uuid4().hex}.new")
        with fresh.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def remove(self, name: str) -> None:
        path = self.root / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def files(self, name: str = "") -> Sequence[SharedFile]:
        found = []
        for path in (self.root / name).rglob("*"):
            with suppress(FileNotFoundError):  # another one removed it meanwhile
                told = path.stat()
                if S_ISREG(told.st_mode):
                    at = datetime.fromtimestamp(told.st_mtime, UTC)
                    found.append(SharedFile(path.relative_to(self.root).as_posix(), at, told.st_size))
        return found


@dataclass(frozen=True, slots=True)
class BucketFolder:
    """A prefix of an object store, where a file appears when it is whole."""

    system: FileSystem
    root: str

    def read(self, name: str) -> str | None:
        try:
            with self.system.open_input_stream(f"{self.root}/{name}") as stream:
                return bytes(stream.read()).decode()
        except FileNotFoundError:
            return None

    def write(self, name: str, text: str) -> None:
        with self.system.open_output_stream(f"{self.root}/{name}") as stream:
            stream.write(text.encode())

    def remove(self, name: str) -> None:
        from pyarrow.fs import FileType

        path = f"{self.root}/{name}"
        kind = self.system.get_file_info(path).type
        with suppress(FileNotFoundError):  # another one removed it first
            if kind == FileType.Directory:
                self.system.delete_dir(path)
            elif kind == FileType.File:
                self.system.delete_file(path)

    def files(self, name: str = "") -> Sequence[SharedFile]:
        from pyarrow.fs import FileSelector, FileType

        place = f"{self.root}/{name}".rstrip("/")
        return [
            SharedFile(info.path.removeprefix(f"{self.root}/"), info.mtime, info.size or 0)
            for info in self.system.get_file_info(FileSelector(place, allow_not_found=True, recursive=True))
            if info.type == FileType.File and info.mtime is not None
        ]


def open_shared_folder(location: str) -> SharedFolder:
    """The folder of a path or URI. Credentials of a bucket come from the environment of each side.

    A folder of this machine is called what stands there, as Iceberg and Hadoop take it: nothing is decoded.
    """
    parts = urlsplit(location)
    if parts.scheme in {"", "file"}:
        return LocalFolder(Path(parts.path))
    from pyarrow.fs import FileSystem

    system, root = FileSystem.from_uri(location)
    return BucketFolder(system, root.rstrip("/"))


@contextmanager
def answering(place: str) -> Iterator[None]:
    """Work on the folder. :raises EngineError: when its storage fails meanwhile."""
    try:
        yield
    except OSError as error:
        raise EngineError(
            "the folder that tasks and drivers share does not answer",
            got=f"{place}: {error}"[:300],
            remedy="See whether the warehouse can be reached from the task and from Spark; then run again.",
        ) from error
