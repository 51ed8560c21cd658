"""Files in a folder of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from headwater.adapters.sources.files.ledger import LandedFile
from headwater.adapters.sources.files.patterns import is_hidden
from headwater.domain.errors import CredentialsError, SourceDataError, SpecError


class LocalStore:
    """The files below a folder. A link may lead to another place of the folder, never out of it."""

    local = True

    def __init__(self, folder: Path, facts: dict[str, str]) -> None:
        self.root = str(folder)
        self._folder, self._facts = folder, facts

    def is_folder(self, path: str) -> bool:
        return (self._folder / path).is_dir()

    def list_files(self, pattern: str) -> Iterator[LandedFile]:
        for path in self._folder.glob(pattern):
            name = path.relative_to(self._folder).as_posix()
            if path.is_file() and not is_hidden(name):
                yield self._landed(path)

    def stat(self, path: str) -> LandedFile | None:
        try:
            return self._landed(self._folder / path)
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

    def _landed(self, path: Path) -> LandedFile:
        name = path.relative_to(self._folder).as_posix()
        if not path.resolve().is_relative_to(self._folder.resolve()):
            self._escaped(f"{name} -> {path.resolve()}")
        if any("\udc80" <= sign <= "\udcff" for sign in name):
            raise SourceDataError(
                f"the name of a file below {self.root} is no text in UTF-8",
                got=ascii(name),
                remedy="Rename the file, or deliver it under a name in UTF-8.",
                facts=self._facts,
            )
        stat = path.stat()
        return LandedFile(path=name, size=stat.st_size, modified_ns=stat.st_mtime_ns)

    def _escaped(self, got: str) -> NoReturn:
        raise SpecError(
            f"a link leads out of the folder of connection {self._facts['connection']!r}",
            got=got,
            allowed=f"files below {self.root}",
            facts=self._facts,
        )
