"""The landing folder: which files lie in it, and that none of them lies elsewhere."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NoReturn

from headwater.adapters.sources.files.ledger import LandedFile
from headwater.domain.errors import ConnectionMalformedError, CredentialsError, SourceTableMissingError, SpecError
from headwater.domain.spec import FilesExtract, TableSpec
from headwater.ports.connections import ConnectionInfo

_MAGIC = "*?["
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Landing:
    """The folder of one connection."""

    connection: str
    folder: Path

    @classmethod
    def of(cls, connection: ConnectionInfo) -> Landing:
        """:raises ConnectionMalformedError: when the connection has no absolute ``path`` in its extra."""
        path = Path(str(connection.extra.get("path", "")))
        if not path.is_absolute():
            raise ConnectionMalformedError(
                f"connection {connection.id!r} names no landing folder",
                got=f"extra path {str(path)!r}",
                allowed='an absolute folder, as in {"conn_type": "fs", "extra": {"path": "/data/landing"}}',
                facts={"connection": connection.id},
            )
        return cls(connection.id, path)

    def facts(self, table: TableSpec) -> dict[str, str]:
        return {"table": table.name, "relation": str(self.folder), "connection": self.connection}

    def list_files(self, table: TableSpec, extract: FilesExtract) -> tuple[LandedFile, ...]:
        """Files that match, in order of path. A folder means its ``*.csv``.

        :raises SourceTableMissingError: when the folder does not exist.
        :raises SpecError: when the pattern, or a link it matches, leads out of the connection's folder.
        """
        pattern = self._pattern(table, extract)
        if not any(sign in pattern for sign in _MAGIC) and (self.folder / pattern).is_dir():
            pattern = f"{pattern}/*.csv"
        start = self.folder.joinpath(*_fixed_parts(pattern)[:-1]) if _fixed_parts(pattern) else self.folder
        if not start.is_dir():
            raise SourceTableMissingError(
                f"landing folder {start} of table {table.name!r} does not exist",
                got=str(start),
                remedy=f"Create the folder, or correct `path` of the table or of connection {self.connection!r}.",
                facts={**self.facts(table), "relation": str(start)},
            )
        found = (self._landed(table, path) for path in sorted(self.folder.glob(pattern)) if path.is_file())
        return tuple(file for file in found if not PurePosixPath(file.path).name.startswith("."))

    def stat(self, table: TableSpec, path: str) -> LandedFile | None:
        """The file as it lies there now, or None when it is gone."""
        try:
            return self._landed(table, self.folder / path)
        except FileNotFoundError:
            return None

    def sha256(self, table: TableSpec, path: str) -> str:
        digest = hashlib.sha256()
        with self.open(table, path) as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def open(self, table: TableSpec, path: str) -> BinaryIO:
        """:raises CredentialsError: when the file may not be read."""
        try:
            return (self.folder / path).open("rb")
        except PermissionError as error:
            raise CredentialsError(
                f"{self.folder / path} may not be read",
                got=str(error.strerror),
                remedy="Give the user that Headwater runs as permission to read the file.",
                facts=self.facts(table),
            ) from error

    def _landed(self, table: TableSpec, path: Path) -> LandedFile:
        if not path.resolve().is_relative_to(self.folder.resolve()):
            self._escaped(table, f"{path.relative_to(self.folder)} -> {path.resolve()}")
        stat = path.stat()
        return LandedFile(
            path=path.relative_to(self.folder).as_posix(), size=stat.st_size, modified_ns=stat.st_mtime_ns
        )

    def _pattern(self, table: TableSpec, extract: FilesExtract) -> str:
        """The pattern relative to the folder."""
        path = PurePosixPath(extract.path)
        if path.is_absolute() and path.is_relative_to(self.folder.as_posix()):
            path = path.relative_to(self.folder.as_posix())
        if path.is_absolute() or ".." in path.parts:
            self._escaped(table, extract.path)
        return path.as_posix()

    def _escaped(self, table: TableSpec, got: str) -> NoReturn:
        raise SpecError(
            f"path of table {table.name!r} leads out of the folder of connection {self.connection!r}",
            got=got,
            allowed=f"files below {self.folder}",
            facts=self.facts(table),
        )


def _fixed_parts(pattern: str) -> tuple[str, ...]:
    """The leading parts of a pattern that hold no wildcard, and the first that does."""
    parts = PurePosixPath(pattern).parts
    wild = next((place for place, part in enumerate(parts) if any(sign in part for sign in _MAGIC)), len(parts) - 1)
    return parts[: wild + 1]
