"""The ledger of files read: path, size, time and content hash of each (rule 29)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Literal

from headwater.domain.base import Value


class LandedFile(Value):
    """A file as it lay in the folder. ``path`` is relative to the connection's folder, with forward slashes.

    :param etag: what an object store calls this content; None where there is no such name.
    :param sha256: what a manifest says the content's hash is.
    :param rows: what a manifest says the file holds.
    :param partitions: Delta tables: the columns that stand in the log instead of the file.
    """

    path: str
    size: int
    modified_ns: int
    etag: str | None = None
    sha256: str | None = None
    rows: int | None = None
    partitions: dict[str, str | None] | None = None

    def is_same(self, other: LandedFile | None) -> bool:
        """Whether ``other`` is the same file untouched, as far as its store tells."""
        if other is None or (self.path, self.size, self.modified_ns) != (other.path, other.size, other.modified_ns):
            return False
        return self.etag is None or other.etag is None or self.etag == other.etag


class ReadFile(Value):
    """A file that was read, and the hash of its bytes."""

    path: str
    size: int
    modified_ns: int
    etag: str | None = None
    sha256: str
    rows: int
    rejected: int

    def is_untouched(self, file: LandedFile) -> bool:
        """Whether the file's size and time are those it had when it was read."""
        return (self.size, self.modified_ns) == (file.size, file.modified_ns)


class Ledger(Value):
    """Every file taken so far, in order of path.

    :param table: the id of the Delta table they belong to, and ``read_version`` the newest version of it that was
        read.
    """

    version: Literal[1] = 1
    files: tuple[ReadFile, ...] = ()
    table: str | None = None
    read_version: int | None = None

    @classmethod
    def parse(cls, content: bytes | None) -> Ledger:
        return cls() if content is None else cls.model_validate_json(content)

    @cached_property
    def _by_path(self) -> Mapping[str, ReadFile]:
        return {file.path: file for file in self.files}

    def of(self, path: str) -> ReadFile | None:
        return self._by_path.get(path)

    def with_files(self, read: Iterable[ReadFile]) -> Ledger:
        """A ledger that has these files, too; a file read again replaces its entry."""
        merged = dict(self._by_path) | {file.path: file for file in read}
        return self.model_copy(update={"files": tuple(merged[path] for path in sorted(merged))})

    def content(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode()
