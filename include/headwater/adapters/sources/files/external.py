"""Files that a job elsewhere delivers: complete when the manifest of the run lies there, and as it says."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import PurePosixPath

from pydantic import ValidationError

from headwater.adapters.sources.files.arriving import ListedFile, Manifest
from headwater.adapters.sources.files.extractor import FilesExtractor, is_new
from headwater.adapters.sources.files.landing import Landing
from headwater.adapters.sources.files.ledger import LandedFile, Ledger
from headwater.adapters.sources.files.patterns import compiled, has_magic
from headwater.domain.errors import RequestError, SourceDataError
from headwater.domain.run import RunKind, RunRequest, Window
from headwater.domain.spec import TableSpec
from headwater.domain.staging import TableState

_LARGEST_MANIFEST_BYTES = 64 << 20
_FORM = '{"files": [{"path": "b.csv", "size": 3, "sha256": "…", "rows": 1}]}'


class ExternalExtractor(FilesExtractor):
    """Extractor of deliveries. What a run reads stands in the manifest of its own job."""

    def plan(
        self,
        table: TableSpec,
        state: TableState | None,  # noqa: ARG002 - the port's; what was read stands in the ledger
        ledger: bytes | None,  # noqa: ARG002 - read with the delivery
        request: RunRequest,
        now: datetime,  # noqa: ARG002 - the port's; a job has a clock of its own
    ) -> Window:
        """What a job delivers that is not started yet. :raises RequestError: for a backfill."""
        if request.kind is RunKind.BACKFILL:
            raise RequestError(
                f"table {table.name!r} is delivered by a job: a window of time does not apply",
                allowed="full_refresh, or leave the table out",
                facts={"table": table.name},
            )
        scheduled = request.kind is RunKind.SCHEDULED
        return Window(kind="job", advances_watermark=scheduled, note="its job is started by extract_to_bronze")

    def delivered(self, table: TableSpec, key: str, ledger: bytes | None, *, full_refresh: bool = False) -> Window:
        """Every listed file as it lies there.

        :raises SourceDataError: when there is no manifest, or a file is not there, or not of the size it says.
        """
        landing = self._landing(table)
        path = landing.relative(str(landing.extract.manifest).replace("{key}", key))
        content = _content(landing, path)
        known = Ledger.parse(None if full_refresh else ledger)
        listed = [_landed(landing, path, item) for item in _read(landing, path, content).files]
        fresh = [file for file in listed if is_new(landing, file, known.of(file.path))]
        if len(fresh) > landing.extract.max_files:
            got, allowed = f"{len(fresh)} new files", f"{landing.extract.max_files} files (`max_files`)"
            raise landing.refusal(path, "lists more files than one run may read", got, allowed, "Raise `max_files`.")
        items = tuple(file.model_dump_json(exclude_none=True) for file in fresh)
        note = "" if items else "the job delivered no new file"
        return Window(kind="files" if items else "nothing", items=items, note=note)


def _content(landing: Landing, path: str) -> bytes:
    found = landing.stat(path)
    if found is None:
        raise landing.refusal(
            path,
            "is not there, although the job says that it succeeded",
            "no manifest",
            "the list of the job's files, written last, at the path given by `manifest` with the key the job was sent",
            "Let the job write its manifest there, then clear this task: it does not start the job again.",
        )
    if found.size > _LARGEST_MANIFEST_BYTES:
        raise landing.refusal(path, "is too long for a manifest", f"{found.size} bytes", "64 MiB at most")
    with landing.open(path) as content:
        return content.read()


def _read(landing: Landing, path: str, content: bytes) -> Manifest:
    try:
        manifest = Manifest.model_validate(json.loads(content))
    except (ValueError, ValidationError, RecursionError) as error:
        got = str(error).splitlines()[0][:200]
    else:
        if all(item.size is not None for item in manifest.files):
            return manifest
        got = "a file without its size"
    raise landing.refusal(path, "is no manifest of a delivery", got, _FORM, "Let the job write it in that form.")


def _landed(landing: Landing, manifest: str, item: ListedFile) -> LandedFile:
    path = (PurePosixPath(manifest).parent / item.path).as_posix()
    if ".." in PurePosixPath(path).parts or not _is_below(landing, landing.relative(path)):
        raise landing.refusal(
            path, f"is listed by {manifest}, but lies outside `path`", path, landing.extract.path,
            "Let the job write to the declared path, or correct `path` of the extract.",
        )  # fmt: skip
    found = landing.stat(path)
    if found is None or found.size != item.size:
        raise _differs(landing, manifest, path, item, found)
    return found.model_copy(update={"sha256": item.sha256, "rows": item.rows})


def _is_below(landing: Landing, path: str) -> bool:
    pattern = landing.relative(landing.extract.path)
    return compiled(pattern).fullmatch(path) is not None if has_magic(pattern) else path.startswith(f"{pattern}/")


def _differs(landing: Landing, manifest: str, path: str, item: ListedFile, found: LandedFile | None) -> SourceDataError:
    what = "is listed by its manifest, but not there" if found is None else "has another size than its manifest says"
    return landing.refusal(
        path,
        what,
        "no file" if found is None else f"{found.size} bytes",
        f"{item.size} bytes, by {manifest}",
        "Let the job deliver the file whole, then clear this task: it does not start the job again.",
    )
