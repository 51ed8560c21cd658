"""Folders of jobs whose task was killed and whose answer nobody took (ADR 22)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headwater.adapters.spark_applications.exchange import CLAIM, Exchange, exchange_location
from headwater.adapters.spark_applications.shared_folder import SharedFile, SharedFolder, answering
from headwater.domain.settings import Settings
from headwater.ports.leftovers import LeftBehind

_JOB = re.compile(r"[a-z0-9-]+-[0-9a-f]{12}")
"""What ``exchange.job_key`` makes."""
_OF_AN_ATTEMPT = re.compile(r"[0-9a-f-]{32,36}/(?:\.?(?:job|begun|result)\.json.*|rows/.+)")
_CLAIM = re.compile(rf"\.?{re.escape(CLAIM)}.*")


@dataclass(frozen=True, slots=True)
class LeftJobs:
    """``ports.leftovers.Leftovers`` of the exchange: folders that hold what tasks and drivers put there, and no more.

    Removing one takes nothing from readers: a task that comes for it all the same begins anew, and a driver that works
    for it ends, for its claim is gone.
    """

    settings: Settings

    def found(self) -> Iterator[LeftBehind]:
        with answering(exchange_location(self.settings)):
            folder = self._folder()
            keys = sorted({file.name.split("/", 1)[0] for file in folder.files() if "/" in file.name})
        for key in keys:
            left = self._look(folder, key)
            if left is not None:
                yield left

    def remove(self, left: LeftBehind) -> bool:
        folder = self._folder()
        if self._look(folder, left.place) != left:
            return False
        with answering(left.place):
            folder.remove(left.place)
        return True

    def _folder(self) -> SharedFolder:
        return Exchange.of(exchange_location(self.settings), "").folder

    def _look(self, folder: SharedFolder, key: str) -> LeftBehind | None:
        """The folder of a job as it is now; None of one that is gone, or is none of ours."""
        with answering(key):
            files = folder.files(key)
            if not files or not _is_a_jobs(key, files):
                return None
            texts = [folder.read(file.name) for file in files if file.name.endswith("/job.json")]
        try:
            runs = {json.loads(text)["run_key"] for text in texts if text is not None}
        except (ValueError, KeyError, TypeError):
            return None  # no job of ours, whatever it is called
        return LeftBehind(
            place=key,
            written_at=max(file.written_at for file in files),
            run_keys=tuple(sorted(map(str, runs))),
            files=len(files),
            size_bytes=sum(file.size_bytes for file in files),
        )


def _is_a_jobs(key: str, files: Sequence[SharedFile]) -> bool:
    names = [file.name.removeprefix(f"{key}/") for file in files]
    return _JOB.fullmatch(key) is not None and all(_OF_AN_ATTEMPT.match(name) or _CLAIM.match(name) for name in names)
