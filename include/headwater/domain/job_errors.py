"""Failures of jobs elsewhere that deliver a table's files."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.domain.errors import HeadwaterError


class JobFailedError(HeadwaterError):
    """A job elsewhere that delivers a table's files failed, or its service knows nothing of it."""

    code = "job_failed"


class JobUncertainError(HeadwaterError):
    """The answer to the start of a job elsewhere was lost, and nobody can tell whether it was started."""

    code = "job_uncertain"


@dataclass(slots=True)
class JobOverdueError(HeadwaterError):
    """A job elsewhere did not end in time."""

    code = "job_overdue"
