"""Jobs that other systems run and that deliver files."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

from pydantic import AwareDatetime

from headwater.domain.base import Value
from headwater.domain.run import Window
from headwater.domain.spec import TableSpec


class JobRequest(Value):
    """What a job is told of the run that starts it."""

    key: str
    run_key: str
    table: str
    planned_at: AwareDatetime
    since: AwareDatetime
    """When the first try asked for it."""


class RemoteJob(Value):
    """A job as its service tells of it. ``said`` is its state and message in the service's words."""

    id: str
    state: Literal["running", "succeeded", "failed"]
    said: str = ""
    url: str | None = None


class JobRunner(Protocol):
    """One service over one connection.

    Every method raises SourceUnreachableError when the service does not answer or asks to wait, CredentialsError and
    NotPermittedError when it refuses; errors hold no secret.
    """

    def start(self, request: JobRequest) -> str:
        """Start the job and return its id.

        :raises JobUncertainError: when the call may have arrived and no answer says so; every other error means that
            nothing was started.
        """
        ...

    def find(self, request: JobRequest) -> str | None:
        """The id of the job that was started under the request's key; None when there is none.

        :raises JobUncertainError: when the service cannot be asked that.
        """
        ...

    def look(self, job_id: str) -> RemoteJob:
        """:raises JobFailedError: when the service does not know the job, or is in no state that is declared."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class DeliveryReader(Protocol):
    """An extractor of what jobs deliver."""

    def delivered(self, table: TableSpec, key: str, ledger: bytes | None, *, full_refresh: bool = False) -> Window:
        """The files that the manifest of this key lists and that were not read before.

        A manifest that was corrected after a refusal is read as it is now: nothing of it was taken before.

        :raises SourceDataError: when there is no manifest, or the files are not what it says.
        """
        ...
