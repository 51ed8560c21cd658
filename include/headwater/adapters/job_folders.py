"""Folders of jobs in the home of the machine that started them: what the engines keep of each attempt's stages.

``<home>/jobs/<attempt>/<stage>/`` holds the job, what its process said, and, for spark-submit, properties with secrets,
which go when the task that waits ends it. A task that is killed leaves them (ADR 18).
"""

from __future__ import annotations

import json
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from headwater.domain.errors import EngineError
from headwater.domain.job import JobSpec
from headwater.domain.settings import Settings
from headwater.ports.leftovers import LeftBehind

_ATTEMPT = re.compile(r"[0-9a-f-]{32,36}")
_JOB = "job.json"


def job_folder(settings: Settings, job: JobSpec) -> Path:
    """The folder of one stage of one attempt, made, with the job in it."""
    folder = _jobs(settings) / job.attempt / job.kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _JOB).write_text(job.model_dump_json(by_alias=True))
    return folder


@dataclass(frozen=True, slots=True)
class LeftJobFolders:
    """``ports.leftovers.Leftovers`` of this machine's home: folders of attempts that no driver here works in.

    A driver of spark-submit outlives its task, and so, perhaps, its run; a job of the engine `connect` does not.
    """

    settings: Settings

    def found(self) -> Iterator[LeftBehind]:
        with _answering(_jobs(self.settings)):
            folders = sorted(path for path in _jobs(self.settings).glob("*") if _ATTEMPT.fullmatch(path.name))
        at_work = _command_lines()
        for folder in folders:
            left = _look(folder, at_work)
            if left is not None:
                yield left

    def remove(self, left: LeftBehind) -> bool:
        folder = Path(self.settings.home).absolute() / left.place
        if _look(folder, _command_lines()) != left:
            return False
        with _answering(folder):
            shutil.rmtree(folder)
        return True


def _jobs(settings: Settings) -> Path:
    return Path(settings.home).absolute() / "jobs"


def _look(folder: Path, at_work: str) -> LeftBehind | None:
    """The folder as it is now; None when it is gone, or when a process of this machine was told to work in it."""
    with _answering(folder):
        try:
            infos = [path.lstat() for path in (folder, *folder.rglob("*"))]
        except FileNotFoundError:
            return None
        if str(folder) in at_work:
            return None
        runs = {_run_of(path) for path in folder.glob(f"*/{_JOB}")}
    return LeftBehind(
        place=f"{folder.parent.name}/{folder.name}",
        written_at=datetime.fromtimestamp(max(info.st_mtime for info in infos), UTC),
        run_keys=tuple(sorted(run for run in runs if run)),
        files=sum(stat.S_ISREG(info.st_mode) for info in infos),
        size_bytes=sum(info.st_size for info in infos),
    )


def _run_of(path: Path) -> str:
    """Whose a job is; empty when its writer was killed at it."""
    try:
        return str(json.loads(path.read_text())["run_key"])
    except (ValueError, KeyError, TypeError):
        return ""


def _command_lines() -> str:
    """Of every process here: that of a driver names its properties, which are in the folder."""
    return "\n".join("\n".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))


@contextmanager
def _answering(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EngineError(
            "the folder of this machine's jobs does not answer", got=f"{place}: {error}"[:300],
            remedy="See that whoever runs Headwater here may read and write below its home.",
        ) from error  # fmt: skip
