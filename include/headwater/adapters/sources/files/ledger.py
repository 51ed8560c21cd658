"""The ledger of files read: path, size, time and content hash of each (rule 29)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from headwater.domain.base import Value


class LandedFile(Value):
    """A file as it lay in the folder. ``path`` is relative to the connection's folder, with forward slashes."""

    path: str
    size: int
    modified_ns: int


class ReadFile(LandedFile):
    """A file that was read."""

    sha256: str
    rows: int
    rejected: int


class Ledger(Value):
    """Every file taken so far, in order of path."""

    version: Literal[1] = 1
    files: tuple[ReadFile, ...] = ()

    @classmethod
    def parse(cls, content: bytes | None) -> Ledger:
        return cls() if content is None else cls.model_validate_json(content)

    def of(self, path: str) -> ReadFile | None:
        return next((file for file in self.files if file.path == path), None)

    def with_files(self, read: Iterable[ReadFile]) -> Ledger:
        """A ledger that has these files, too; a file read again replaces its entry."""
        merged = {file.path: file for file in self.files} | {file.path: file for file in read}
        return Ledger(files=tuple(merged[path] for path in sorted(merged)))

    def content(self) -> bytes:
        return self.model_dump_json().encode()
