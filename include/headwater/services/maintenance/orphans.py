"""Which files that a table's metadata does not refer to may be deleted (rule 29). Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

_METADATA_FILE = re.compile(r"[^/]*\.metadata\.json(?:\.gz)?")
_WRITTEN_BY_ICEBERG = re.compile(r"[^/]+\.(?:avro|stats|puffin)")


def plain(path: str) -> str:
    """The place, however it is written: ``file:///a``, ``file:/a`` and ``/a`` are one; other schemes stay."""
    parts = urlsplit(path)
    return parts.path if parts.scheme in {"", "file"} else f"{parts.scheme}://{parts.netloc}{parts.path}"


def is_metadata_file(path: str) -> bool:
    """Whether it is a state of a table, which a release or a restored catalog may point at."""
    return _METADATA_FILE.fullmatch(path.rsplit("/", 1)[-1]) is not None


def deletable(found: Iterable[str], spared: Collection[str], attempts: Collection[str]) -> tuple[str, ...]:
    """Those of the orphans found that nothing outside the table's metadata may ask for.

    Beside the metadata lie the ledger of files read and other state files, which no metadata refers to: what Iceberg
    did not write there is never deleted.

    :param spared: paths that releases and states name.
    :param attempts: ids of live and held attempts; whatever names one is theirs.
    """
    kept = {plain(path) for path in spared}
    return tuple(
        sorted(
            path
            for path in found
            if plain(path) not in kept
            and not any(attempt in path for attempt in attempts)
            and (not _lies_in_metadata(path) or is_metadata_file(path) or _is_icebergs(path))
        )
    )


def _lies_in_metadata(path: str) -> bool:
    return "/metadata/" in path


def _is_icebergs(path: str) -> bool:
    return _WRITTEN_BY_ICEBERG.fullmatch(path.rsplit("/", 1)[-1]) is not None
