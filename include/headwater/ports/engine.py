"""The Spark engine."""

from __future__ import annotations

from typing import Protocol

from headwater.domain.job import JobResult, JobSpec


class SparkEngine(Protocol):
    def run(self, job: JobSpec) -> JobResult:
        """Run the job and wait. A table that fails is a result, not an exception.

        :raises EngineError: when the engine did not answer or died; its work may still commit to the attempt's
            branch, which harms nobody (rule 10).
        :raises StageRunningError: by an engine whose drivers need nobody who stands by: run the stage again later.
        """
        ...
