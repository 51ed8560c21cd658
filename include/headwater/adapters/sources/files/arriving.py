"""Which files are complete: old enough, marked, or listed by a manifest."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

from pydantic import Field, ValidationError, field_validator

from headwater.adapters.sources.files.landing import Landing
from headwater.adapters.sources.files.ledger import LandedFile
from headwater.adapters.sources.files.store import MOMENT_NS
from headwater.domain.base import Value

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_MANIFEST_BYTES = 64 << 20


class ListedFile(Value):
    """One file of a manifest. ``path`` is relative to the manifest's folder."""

    path: str = Field(min_length=1)
    size: int | None = Field(default=None, ge=0)
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    rows: int | None = Field(default=None, ge=0)


class Manifest(Value):
    """A list of complete files: ``{"files": ["a.csv", {"path": "b.csv", "size": 3, "sha256": "…", "rows": 1}]}``."""

    files: tuple[ListedFile, ...]

    @field_validator("files", mode="before")
    @classmethod
    def _plain_paths(cls, value: object) -> object:
        if not isinstance(value, list):
            return value
        return [{"path": item} if isinstance(item, str) else item for item in value]


def complete(landing: Landing, found: Iterable[LandedFile], now: datetime) -> tuple[list[LandedFile], str]:
    """The files that may be read, with what a manifest says of them; and in words, what still has to wait.

    :raises SourceDataError: when a manifest cannot be read.
    """
    files, notes = list(found), []
    if landing.extract.manifest is not None:
        files, missing = _listed(landing, files)
        notes += [f"{missing} files of a manifest are not there as listed"] if missing else []
    if landing.extract.marker is not None:
        marked = _marked(landing, files)
        notes += [f"{len(files) - len(marked)} files have no marker"] if len(marked) < len(files) else []
        files = marked
    old = [file for file in files if _is_stable(landing, file, now)]
    notes += [f"{len(files) - len(old)} files are younger than stable_for"] if len(old) < len(files) else []
    return old, "; ".join(notes)


def _is_stable(landing: Landing, file: LandedFile, now: datetime) -> bool:
    least = landing.extract.stable_for
    if not landing.store.local:
        least = max(least, timedelta(microseconds=MOMENT_NS // 1000))
    return now - (_EPOCH + timedelta(microseconds=file.modified_ns // 1000)) >= least


def _marked(landing: Landing, files: list[LandedFile]) -> list[LandedFile]:
    """One listing per folder, so that a million files cost no million questions."""
    pattern, lying = str(landing.extract.marker), {}
    for folder in {PurePosixPath(file.path).parent.as_posix() for file in files}:
        lying[folder] = {file.path for file in landing.list_others("*" if folder == "." else f"{folder}/*")}

    def marker(file: LandedFile) -> str:
        path = PurePosixPath(file.path)
        return (path.parent / pattern.replace("{name}", path.name).replace("{stem}", path.stem)).as_posix()

    return [file for file in files if marker(file) in lying[PurePosixPath(file.path).parent.as_posix()]]


def _listed(landing: Landing, found: list[LandedFile]) -> tuple[list[LandedFile], int]:
    lying, complete_files, missing = {file.path: file for file in found}, {}, 0
    for manifest in landing.list_others(str(landing.extract.manifest)):
        for item in _read_manifest(landing, manifest).files:
            path = landing.relative((PurePosixPath(manifest.path).parent / item.path).as_posix())
            file = lying.get(path)
            if file is None or (item.size is not None and item.size != file.size):
                missing += 1
                continue
            complete_files[path] = file.model_copy(update={"sha256": item.sha256, "rows": item.rows})
    return [complete_files[path] for path in sorted(complete_files)], missing


def _read_manifest(landing: Landing, file: LandedFile) -> Manifest:
    if file.size > _LARGEST_MANIFEST_BYTES:
        raise landing.refusal(file.path, "is too long for a manifest", f"{file.size} bytes", "64 MiB at most")
    with landing.open(file.path) as content:
        text = content.read()
    try:
        return Manifest.model_validate(json.loads(text))
    except (ValueError, ValidationError, RecursionError) as error:
        got = str(error).splitlines()[0][:200]
    allowed = '{"files": ["a.csv", {"path": "b.csv", "size": 3, "sha256": "…", "rows": 1}]}'
    raise landing.refusal(file.path, "is no manifest", got, allowed, "Deliver the manifest again, in the form allowed.")
