"""The parts of a connection to a service that runs jobs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from headwater.adapters.jobs.data_factory import AUTHORITY, MANAGEMENT, DataFactoryJobs
from headwater.adapters.jobs.http_jobs import HttpJobs, base_of
from headwater.adapters.jobs.opening import HTTP_KINDS
from headwater.adapters.sources.checking.probe import Probe, bad, good, network, tls
from headwater.domain.errors import CredentialsError, HeadwaterError, NotPermittedError
from headwater.domain.external import ExternalExtract, ExternalJob
from headwater.domain.spec import TableSpec
from headwater.ports.connections import ConnectionInfo

_SAYS_NOTHING = ExternalJob(connection="any", start="/", status="/")


def check_service(connection: ConnectionInfo, tables: Sequence[TableSpec]) -> Iterator[Probe]:
    """DNS, TCP, TLS, login, then the right to look at each table's job; no job is started."""
    is_http = connection.kind in HTTP_KINDS
    extra = {key: str(value) for key, value in connection.extra.items()}
    bases = [base_of(connection)] if is_http else [
        extra.get("authority_url", AUTHORITY), extra.get("management_url", MANAGEMENT)
    ]  # fmt: skip
    for base in bases:
        place = urlsplit(base)
        port = place.port or (443 if place.scheme == "https" else 80)
        yield from network(place.hostname or "", port)
        if place.scheme == "https":
            yield tls(place.hostname or "", port)
    jobs = {table.name: table.extract.job for table in tables if isinstance(table.extract, ExternalExtract)}
    for name, job in (jobs or {"": _SAYS_NOTHING}).items():
        runner = HttpJobs(job, connection) if is_http else DataFactoryJobs(job, connection)
        try:
            runner.greet()
        except CredentialsError as error:
            part = "grant" if isinstance(error, NotPermittedError) else "login"
            yield bad(part, f"{error.message}: {error.got}", error.remedy or "")
        except HeadwaterError as error:
            yield bad("service", f"{error.message}: {error.got}", error.remedy or "")
        else:
            yield good("login", "let in" + (f", and may look at the job of {name}" if name else ""))
        finally:
            runner.close()
