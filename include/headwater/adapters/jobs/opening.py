"""Which service runs a job: decided by the declared service and the kind of its connection."""

from __future__ import annotations

from headwater.domain.errors import SpecError
from headwater.domain.external import ExternalJob
from headwater.ports.connections import ConnectionInfo
from headwater.ports.jobs import JobRunner

HTTP_KINDS = ("http", "https")
DATA_FACTORY_KINDS = ("azure_data_factory",)
SERVICE_KINDS = (*HTTP_KINDS, *DATA_FACTORY_KINDS)


def open_job_runner(job: ExternalJob, connection: ConnectionInfo) -> JobRunner:
    """The runner over this connection. Reaches for nothing yet; close it afterwards.

    :raises SpecError: when the connection is of a type that the declared service does not have.
    """
    if job.service == "http" and connection.kind in HTTP_KINDS:
        from headwater.adapters.jobs.http_jobs import HttpJobs

        return HttpJobs(job, connection)
    if job.service == "data_factory" and connection.kind in DATA_FACTORY_KINDS:
        from headwater.adapters.jobs.data_factory import DataFactoryJobs

        return DataFactoryJobs(job, connection)
    kinds = HTTP_KINDS if job.service == "http" else DATA_FACTORY_KINDS
    raise SpecError(
        f"a job of service {job.service} cannot be started over connection {connection.id!r}",
        got=f"a connection of type {connection.kind!r}",
        allowed=f"a connection of type {' or '.join(kinds)}",
        remedy="Change `job: {service: …}` in the source's YAML, or the type of the connection.",
        facts={"connection": connection.id},
    )
