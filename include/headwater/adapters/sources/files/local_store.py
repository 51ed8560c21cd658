"""Files in a folder of this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from headwater.adapters.sources.files.ledger import LandedFile
from headwater.adapters.sources.files.patterns import compiled, fixed_folder, is_hidden
from headwater.domain.errors import CredentialsError, SourceDataError, SpecError

_NO_TEXT = re.compile("[\udc80-\udcff]")


class LocalStore:
    """The files below a folder. A link may lead to another place of the folder, never out of it."""

    local = True

    def __init__(self, folder: Path, facts: dict[str, str]) -> None:
        self.root = str(folder)
        self._folder, self._facts = folder, facts

    def is_folder(self, path: str) -> bool:
        return (self._folder / path).is_dir()

    def list_files(self, pattern: str) -> Iterator[LandedFile]:
        folder = fixed_folder(pattern)
        if "/" not in pattern.removeprefix(f"{folder}/" if folder else ""):
            yield from self._of_folder(folder, pattern)
            return
        for path in self._folder.glob(pattern):
            name = path.relative_to(self._folder).as_posix()
            if path.is_file() and not is_hidden(name):
                yield self._landed(path, name, path.stat())

    def _of_folder(self, folder: str, pattern: str) -> Iterator[LandedFile]:
        """The files of one folder, which may be a million: each is asked for no more than it has to be."""
        start, wanted = self._folder / folder, compiled(pattern)
        if not start.is_dir():
            return
        self._check_inside(start, folder)
        with os.scandir(start) as entries:
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                if not wanted.fullmatch(name) or is_hidden(name) or not entry.is_file():
                    continue
                if entry.is_symlink():
                    self._check_inside(Path(entry.path), name)
                yield self._named(name, entry.stat())

    def stat(self, path: str) -> LandedFile | None:
        try:
            return self._landed(self._folder / path, path, (self._folder / path).stat())
        except FileNotFoundError:
            return None

    def open(self, path: str) -> BinaryIO:
        try:
            return (self._folder / path).open("rb")
        except PermissionError as error:
            raise CredentialsError(
                f"{self._folder / path} may not be read",
                got=str(error.strerror),
                remedy="Give the user that Headwater runs as permission to read the file.",
                facts=self._facts,
            ) from error

    def _landed(self, path: Path, name: str, stat: os.stat_result) -> LandedFile:
        self._check_inside(path, name)
        return self._named(name, stat)

    def _named(self, name: str, stat: os.stat_result) -> LandedFile:
        if not name.isascii() and _NO_TEXT.search(name):
            raise SourceDataError(
                f"the name of a file below {self.root} is no text in UTF-8",
                got=ascii(name),
                remedy="Rename the file, or deliver it under a name in UTF-8.",
                facts=self._facts,
            )
        return LandedFile(path=name, size=stat.st_size, modified_ns=stat.st_mtime_ns)

    def _check_inside(self, path: Path, name: str) -> None:
        """:raises SpecError: when a link leads out of the folder."""
        if not (real := path.resolve()).is_relative_to(self._folder.resolve()):
            self._escaped(f"{name} -> {real}")

    def _escaped(self, got: str) -> NoReturn:
        raise SpecError(
            f"a link leads out of the folder of connection {self._facts['connection']!r}",
            got=got,
            allowed=f"files below {self.root}",
            facts=self._facts,
        )
