"""The landing place of one table: which of its files are there, and their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from headwater.adapters.sources.files.ledger import LandedFile
from headwater.adapters.sources.files.locations import store_of
from headwater.adapters.sources.files.patterns import fixed_folder, has_magic
from headwater.adapters.sources.files.store import FileStore
from headwater.domain.errors import SourceDataError, SourceTableMissingError, SpecError
from headwater.domain.spec import FilesExtract, TableSpec
from headwater.ports.connections import ConnectionInfo

_CHUNK_BYTES = 1 << 20
ENDINGS = {"csv": ("csv",), "jsonl": ("jsonl", "ndjson"), "json": ("json",), "parquet": ("parquet",), "delta": ()}
PACKINGS = {"gz": "gzip", "zst": "zstd", "zip": "zip"}


@dataclass(frozen=True, slots=True)
class Landing:
    """Where the files of one table arrive."""

    table: TableSpec
    extract: FilesExtract
    connection: str
    store: FileStore
    info: ConnectionInfo

    @classmethod
    def of(cls, connection: ConnectionInfo, table: TableSpec, extract: FilesExtract) -> Landing:
        """:raises ConnectionMalformedError: when the connection names no place its type can have."""
        facts = {"table": table.name, "relation": str(connection.extra.get("path", "")), "connection": connection.id}
        return cls(table, extract, connection.id, store_of(connection, facts), connection)

    @property
    def facts(self) -> dict[str, str]:
        return {"table": self.table.name, "relation": self.store.root, "connection": self.connection}

    def list_files(self) -> tuple[LandedFile, ...]:
        """The table's files, in order of path.

        :raises SourceTableMissingError: when the folder does not exist.
        :raises SpecError: when the pattern, or a link it matches, leads out of the connection's folder.
        """
        pattern = self.relative(self.extract.path)
        if not has_magic(pattern) and self.store.is_folder(pattern):
            return self._of_folder(pattern)
        self._check_folder(fixed_folder(pattern))
        return tuple(sorted(self.store.list_files(pattern), key=lambda file: file.path))

    def list_others(self, pattern: str) -> tuple[LandedFile, ...]:
        """Files that tell about the table's, such as manifests, in order of path."""
        return tuple(sorted(self.store.list_files(self.relative(pattern)), key=lambda file: file.path))

    def relative(self, path: str) -> str:
        """A path of the YAML relative to the connection's folder. :raises SpecError: when it leads out of it."""
        pure = PurePosixPath(path.removeprefix(f"{self.store.root}/"))
        if pure.is_absolute() or ".." in pure.parts or "://" in str(path).removeprefix(self.store.root):
            raise SpecError(
                f"path of table {self.table.name!r} leads out of the folder of connection {self.connection!r}",
                got=path,
                allowed=f"files below {self.store.root}",
                facts=self.facts,
            )
        return pure.as_posix()

    def stat(self, path: str) -> LandedFile | None:
        return self.store.stat(path)

    def open(self, path: str) -> BinaryIO:
        return self.store.open(path)

    def sha256(self, path: str) -> str:
        digest = sha256()
        for chunk in self._chunks(path):
            digest.update(chunk)
        return digest.hexdigest()

    def fetch(self, file: LandedFile, scratch: Path) -> tuple[Path, str | None]:
        """The planned file as a file of this machine under a harmless name, and the sha256 of its bytes.

        The hash is None for a file of this machine that no manifest vouches for: who wants it reads the file twice, and
        may do so beside other work.

        :raises SourceDataError: when it is gone, or not the one that was planned.
        """
        self.check_planned(file)
        local, found = scratch / "file", None
        local.unlink(missing_ok=True)
        if self.store.local:
            local.symlink_to(Path(self.store.root) / file.path)
            found = None if file.sha256 is None else self.sha256(file.path)
        else:
            digest = sha256()
            with local.open("wb") as target:
                for chunk in self._chunks(file.path):
                    target.write(chunk)
                    digest.update(chunk)
            found = digest.hexdigest()
        self.check_planned(file)
        if file.sha256 is not None and file.sha256 != found:
            raise self.refusal(file.path, "has other bytes than its manifest says", str(found), f"sha256 {file.sha256}")
        return local, found

    def check_planned(self, file: LandedFile) -> None:
        """:raises SourceDataError: when the file is gone or changed since it was planned."""
        now = self.store.stat(file.path)
        if not file.is_same(now):
            what = "is gone" if now is None else "changed"
            got = "no file" if now is None else f"{now.size} bytes"
            raise SourceDataError(
                f"{file.path} {what} after the run was planned",
                got=got,
                allowed=f"{file.size} bytes, untouched since the plan",
                remedy="Put the file back as it was and clear the task, or start a new run, which plans again.",
                facts={**self.facts, "file": file.path},
            )

    def refusal(self, path: str, what: str, got: str, allowed: str, remedy: str = "") -> SourceDataError:
        """A file that cannot be taken."""
        remedy = remedy or "Deliver the file again, whole, under another name, and take this one away."
        facts = {**self.facts, "file": path}
        return SourceDataError(f"{path} {what}", got=got, allowed=allowed, remedy=remedy, facts=facts)

    def _chunks(self, path: str) -> Iterator[bytes]:
        with self.store.open(path) as content:
            while chunk := content.read(_CHUNK_BYTES):
                yield chunk

    def _of_folder(self, folder: str) -> tuple[LandedFile, ...]:
        inner = "**/" if self.extract.partitions else ""
        start = "" if folder == "." else f"{folder}/"
        found = self.store.list_files(f"{start}{inner}*")
        return tuple(sorted((file for file in found if self._ends_well(file.path)), key=lambda file: file.path))

    def _ends_well(self, path: str) -> bool:
        *_, last = parts = PurePosixPath(path).name.lower().split(".")
        ending = parts[-2] if last in PACKINGS and len(parts) > 2 else last
        return ending in ENDINGS[self.extract.format] or (last == "zip" and len(parts) == 2)

    def _check_folder(self, folder: str) -> None:
        if self.store.is_folder(folder):
            return
        start = f"{self.store.root}/{folder}".rstrip("/.")
        raise SourceTableMissingError(
            f"landing folder {start} of table {self.table.name!r} does not exist",
            got=start,
            remedy=f"Create the folder, or correct `path` of the table or of connection {self.connection!r}.",
            facts={**self.facts, "relation": start},
        )
