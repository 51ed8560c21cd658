"""Objects in S3, in what speaks its protocol, and in Azure Data Lake Storage."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO

from headwater.adapters.sources.files.ledger import LandedFile
from headwater.adapters.sources.files.object_failures import object_failure
from headwater.adapters.sources.files.patterns import compiled, fixed_folder, is_hidden
from headwater.domain.errors import HeadwaterError, SourceTableMissingError
from headwater.ports.connections import ConnectionInfo

if TYPE_CHECKING:
    import pyarrow.fs

_READ_BYTES = 1 << 20


class _ExplainedStream(io.RawIOBase):
    """Bytes of an object; a connection that breaks while they are read is explained like any other."""

    def __init__(self, raw: Any, explained: Callable[[], AbstractContextManager[None]]) -> None:
        self._raw, self._explained = raw, explained

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self._explained():
            content = self._raw.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._raw.close()
        super().close()


class ObjectStore:
    """The objects below a prefix of a bucket.

    :param connect: makes the file system; called once, at first use.
    :param below: ``bucket/prefix``, without a slash at either end.
    """

    local = False

    def __init__(
        self,
        connect: Callable[[], pyarrow.fs.FileSystem],
        below: str,
        root: str,
        connection: ConnectionInfo,
        facts: dict[str, str],
    ) -> None:
        self.root = root
        self._connect, self._below, self._connection, self._facts = connect, below, connection, facts

    @cached_property
    def _files(self) -> pyarrow.fs.FileSystem:
        return self._connect()

    def is_folder(self, path: str) -> bool:
        from pyarrow.fs import FileType

        with self._explained():
            kind = self._files.get_file_info(self._full(path)).type
            if kind is FileType.NotFound and self._files.get_file_info(self._bucket).type is FileType.NotFound:
                raise object_failure(self.root, self._connection, self._facts, f"NoSuchBucket {self._bucket}")
        # a prefix that nothing was delivered to yet is an empty folder: only buckets are made by hand
        return kind is not FileType.File

    def list_files(self, pattern: str) -> Iterator[LandedFile]:
        from pyarrow.fs import FileSelector, FileType

        wanted, start = compiled(pattern), self._full(fixed_folder(pattern))
        selector = FileSelector(start, allow_not_found="/" in start, recursive=True)
        with self._explained():
            found = self._files.get_file_info(selector)
        for info in found:
            name = info.path.removeprefix(f"{self._below}/")
            if info.type is FileType.File and wanted.fullmatch(name) and not is_hidden(name):
                yield LandedFile(path=name, size=info.size, modified_ns=info.mtime_ns)

    def stat(self, path: str) -> LandedFile | None:
        from pyarrow.fs import FileType

        with self._explained():
            info = self._files.get_file_info(self._full(path))
            if info.type is not FileType.File:
                return None
            with self._files.open_input_file(self._full(path)) as content:
                etag = (content.metadata() or {}).get("ETag", b"")
        return LandedFile(path=path, size=info.size, modified_ns=info.mtime_ns, etag=bytes(etag).decode() or None)

    def open(self, path: str) -> BinaryIO:
        with self._explained():
            raw = self._files.open_input_file(self._full(path))
        return io.BufferedReader(_ExplainedStream(raw, self._explained), _READ_BYTES)

    @property
    def _bucket(self) -> str:
        return self._below.partition("/")[0]

    def _full(self, path: str) -> str:
        return "/".join(part for part in (self._below, path) if part and part != ".")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """The library's errors become explained ones, without a chain: its own may quote what it was made with."""
        import pyarrow as pa

        try:
            yield
        except FileNotFoundError:
            failure: HeadwaterError = SourceTableMissingError(f"an object below {self.root} is gone", facts=self._facts)
        except (OSError, pa.ArrowException) as error:
            failure = object_failure(self.root, self._connection, self._facts, str(error))
        else:
            return
        raise failure
