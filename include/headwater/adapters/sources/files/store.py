"""Where files lie: a folder of this machine, a bucket, a container. One face for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from headwater.adapters.sources.files.ledger import LandedFile

MOMENT_NS = 2_000_000_000
"""Object stores tell times in whole seconds: a younger object could be replaced without its time changing."""


class FileStore(Protocol):
    """The files below one root. Paths are relative to it, with forward slashes.

    Every method raises HeadwaterErrors that name the root and hold no secret.
    """

    root: str
    """What people call the root, without secrets: ``/data/landing``, ``s3://bucket/landing``."""
    local: bool

    def is_folder(self, path: str) -> bool: ...

    def list_files(self, pattern: str) -> Iterator[LandedFile]:
        """Files whose path matches, hidden ones left out, in no order.

        :raises SpecError: when a match is a link that leads out of the root.
        """
        ...

    def stat(self, path: str) -> LandedFile | None:
        """The file as it lies there now, with its etag where there is one; None when it is gone."""
        ...

    def open(self, path: str) -> BinaryIO:
        """Its bytes, from the first to the last.

        :raises CredentialsError: when the file may not be read.
        """
        ...
