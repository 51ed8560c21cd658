"""What a source developer declares of files that a job elsewhere delivers."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from headwater.domain.base import Value
from headwater.domain.duration import Duration
from headwater.domain.files_extract import FilesExtract


class ExternalJob(Value):
    """A job that another system runs once per run and table.

    :param start: http: path of the call that starts it; data_factory: name of the pipeline.
    :param status: http: path of its state, with ``{id}``. :param find: http: path that finds a job by ``{key}``.
    :param repeatable: http: the service starts one job only, however often it is asked under one ``Idempotency-Key``.
    """

    connection: str = Field(pattern=r"^[A-Za-z0-9_.\-]{1,200}$")
    service: Literal["http", "data_factory"] = "http"
    start: str = Field(min_length=1, max_length=500)
    parameters: dict[str, str | int | float | bool] = Field(default_factory=dict)
    status: str = Field(default="", max_length=500)
    find: str = Field(default="", max_length=500)
    repeatable: bool = False
    id_field: str = "id"
    status_field: str = "status"
    message_field: str = "message"
    running: tuple[str, ...] = ("accepted", "pending", "queued", "running", "started")
    succeeded: tuple[str, ...] = ("completed", "done", "finished", "success", "succeeded")
    failed: tuple[str, ...] = ("aborted", "cancelled", "error", "failed")
    timeout: Duration = Field(default=timedelta(hours=6), gt=timedelta(0))
    poll_every: Duration = Field(default=timedelta(seconds=30), gt=timedelta(0))


class ExternalExtract(FilesExtract):
    """Files that a job elsewhere delivers, complete when its manifest lies there.

    :param manifest: path of the list the job writes last, with ``{key}``: each run has its own.
    """

    kind: Literal["external"] = "external"  # type: ignore[assignment]  # the discriminator of another kind
    manifest: str = Field(min_length=1)
    job: ExternalJob


class JobRecord(Value):
    """What the run store knows of a run's job for one table, from before it is asked for.

    :param key: what the job is started under; the same for every try of the run.
    :param asked: whether a call that starts it may have reached the service.
    :param id: what the service calls it; None until an answer said so.
    :param until: when waiting for it ends.
    """

    run_key: str
    table: str
    key: str
    asked: bool = False
    id: str | None = None
    since: AwareDatetime
    until: AwareDatetime
