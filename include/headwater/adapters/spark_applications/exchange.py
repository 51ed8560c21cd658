"""Who works at a job, the job itself and its answer, in one folder per job that tasks and drivers share.

``<job key>/claim.json`` names the attempt whose driver may work; ``<job key>/<attempt>/`` has its ``job.json``, its
``begun.json`` once its driver works, and, in the end, its ``result.json``. The key is made of what is asked for, so a
retry of a task finds what the killed try began, and an attempt's driver that finds another attempt in the claim ends by
itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from pydantic import AwareDatetime, Field, ValidationError

from headwater.adapters.spark_applications.shared_folder import SharedFolder, open_shared_folder
from headwater.domain.base import Value
from headwater.domain.errors import EngineError
from headwater.domain.job import JobResult, JobSpec
from headwater.domain.settings import Settings

CLAIM = "claim.json"
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


class Claim(Value):
    """Written before anything is started, and again when it is known what was.

    :param application: what tells the started application from others; empty while nobody knows whether it started.
    """

    attempt: str
    since: AwareDatetime
    application: dict[str, str] = Field(default_factory=dict)


def job_key(job: JobSpec) -> str:
    """The name of a job: equal for every try of a stage with the same work.

    Without the attempt, which is fresh in each try, and without the bases: a first try creates tables.
    """
    # what is not said counts for nothing: a key of JobSpec that is new changes no name
    asked = job.model_dump(mode="json", by_alias=True, exclude={"attempt"}, exclude_defaults=True)
    if job.kind == "preflight":
        asked.pop("planned_at")  # before there is a plan each try has a clock of its own, and fixtures say theirs
    for item in (*asked.get("refine", ()), *asked.get("build", ())):
        item.pop("base", None)
        item.pop("homes", None)
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    name = f"{job.pipeline[:24]}-{job.kind}-{digest[:12]}"
    return _NOT_IN_NAMES.sub("-", name.lower()).strip("-")


def fits(job: JobSpec, result: JobResult) -> bool:
    """Whether an earlier try's answer stands on the bases that this try found."""
    bases = {item.silver: item.base for item in job.refine} | {item.gold: item.base for item in job.build}
    staged = [table.staged for table in result.tables if table.staged is not None]
    return all(bases.get(item.table) in {None, item.base} for item in staged)


def exchange_location(settings: Settings) -> str:
    """The folder that tasks and drivers share. A bucket's address says how it is reached, not by whom."""
    if settings.spark.exchange:
        return settings.spark.exchange
    location, s3 = f"{settings.catalog.warehouse.rstrip('/')}/jobs", settings.catalog.s3
    if s3 is None:
        return location
    reached = {"region": s3.region}
    if s3.endpoint is not None:
        address = urlsplit(s3.endpoint)
        reached |= {"scheme": address.scheme, "endpoint_override": address.netloc}
    if s3.ca_file is not None:
        reached["tls_ca_file_path"] = s3.ca_file
    return f"{location}?{urlencode(reached)}"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One job's folder. ``location`` is of the folder of all jobs."""

    location: str
    key: str
    folder: SharedFolder

    @classmethod
    def of(cls, location: str, key: str) -> Exchange:
        """:raises EngineError: when the place is one that nobody here can reach."""
        try:
            return cls(location, key, open_shared_folder(location))
        except (OSError, ValueError) as error:
            raise EngineError(
                "the folder that tasks and drivers share cannot be opened",
                got=f"{location}: {error}"[:300],
                remedy="Correct `spark.exchange` or the warehouse in the profile.",
            ) from error

    def claim(self) -> Claim | None:
        """Who may work, if anybody."""
        text = self.folder.read(f"{self.key}/{CLAIM}")
        return None if text is None else Claim.model_validate_json(text)

    def write_claim(self, claim: Claim) -> None:
        self.folder.write(f"{self.key}/{CLAIM}", claim.model_dump_json())

    def place(self, job: JobSpec) -> None:
        """Put the job where its driver looks for it."""
        self.folder.write(f"{self.key}/{job.attempt}/job.json", job.model_dump_json(by_alias=True))

    def has_job(self, attempt: str) -> bool:
        return self.folder.read(f"{self.key}/{attempt}/job.json") is not None

    def job(self, attempt: str) -> JobSpec:
        """:raises EngineError: when there is none, because its caller gave it up."""
        text = self.folder.read(f"{self.key}/{attempt}/job.json")
        if text is None:
            raise EngineError("the job was taken back before its driver came", got=f"{self.key}/{attempt}")
        return JobSpec.model_validate_json(text)

    def begin(self, attempt: str) -> None:
        """Its driver works: whatever a cluster had to find for it was found."""
        self.folder.write(f"{self.key}/{attempt}/begun.json", "{}")

    def has_begun(self, attempt: str) -> bool:
        return self.folder.read(f"{self.key}/{attempt}/begun.json") is not None

    def answer(self, attempt: str, result: JobResult) -> None:
        self.folder.write(f"{self.key}/{attempt}/result.json", result.model_dump_json(by_alias=True))

    def result(self, attempt: str) -> JobResult | None:
        """The answer, once there is one. :raises EngineError: when nobody can read it."""
        text = self.folder.read(f"{self.key}/{attempt}/result.json")
        try:
            return None if text is None else JobResult.model_validate_json(text)
        except ValidationError as error:
            raise EngineError("the Spark job wrote a result nobody can read", got=str(error)[:500]) from error

    def forget(self) -> None:
        """Remove all of this job: its answer was taken, or nobody waits for it any more."""
        self.folder.remove(self.key)
