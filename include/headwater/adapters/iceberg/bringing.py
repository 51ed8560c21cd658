"""Finished files are written on this machine, and brought to the table where that lies in buckets."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.domain.storage import is_in_s3

if TYPE_CHECKING:
    from pyiceberg.table import Table

_UPLOADS = 4
_CHUNK_BYTES = 8 << 20


@contextmanager
def files_folder(location: str) -> Iterator[str]:
    """See the port. What a killed process leaves of it lies among the machine's temporary files."""
    if not is_in_s3(location):
        yield f"{location}/data"
        return
    with tempfile.TemporaryDirectory(prefix="headwater-files-") as folder:
        yield folder


def place_of(location: str, path: str) -> str:
    """Where a file will lie. Names carry the attempt, so nobody else writes there."""
    return path if is_in_s3(path) else f"{location}/data/{Path(path).name}"


def bring(table: Table, wanted: Mapping[str, str]) -> None:
    """Copy the files to their places, some at once and each by parts. Again after a failure: it overwrites its own.

    :raises OSError: when a file cannot be read or the store does not take it.
    """
    moving = [(place, path) for place, path in wanted.items() if place != path]
    with ThreadPoolExecutor(_UPLOADS, "upload") as pool:
        list(pool.map(lambda item: _upload(table, *item), moving))


def _upload(table: Table, place: str, path: str) -> None:
    with Path(path).open("rb") as source, table.io.new_output(place).create(overwrite=True) as target:
        shutil.copyfileobj(source, target, _CHUNK_BYTES)
