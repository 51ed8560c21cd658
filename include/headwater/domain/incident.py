"""What broke, for whom it matters, and the steps that mend it."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from headwater.domain.base import Value
from headwater.domain.errors import RequestError
from headwater.domain.spec import Owner

IncidentKind = Literal["failed", "held", "late", "notice"]
NUMBER_PLACEHOLDER = "{incident}"
"""Stands for the incident's number in a draft's texts, until the store has given it one."""


class Step(Value):
    """One step of a remedy that works when followed literally.

    :param command: a shell command to run in the repository, or None.
    :param sql: statements to run at the source ``connection``, or None.
    :param url: a page to open, or None.
    :param choice: letter of an alternative (``A``, ``B``, ``C``); steps without one are always done.
    """

    text: str
    command: str | None = None
    sql: str | None = None
    connection: str | None = None
    url: str | None = None
    choice: str | None = None


class Link(Value):
    label: str
    url: str


class Failure(Value):
    """One observed failure, before it is grouped into an incident. Unique per dag, run, task, map index, try, kind."""

    pipeline: str
    run_id: str
    task_id: str
    map_index: int = -1
    try_number: int = 1
    kind: IncidentKind = "failed"
    cause: str
    """Error code; names the runbook."""
    table: str | None = None
    """Dotted table, when one is at fault."""
    message: str
    facts: dict[str, str] = Field(default_factory=dict)
    seen_at: AwareDatetime
    log_url: str | None = None
    run_url: str | None = None


class Incident(Value):
    """Repeats of one cause (and ``matter``) are one incident with a count; a new run that heals closes it."""

    id: int
    kind: IncidentKind
    cause: str
    pipeline: str
    table: str | None
    title: str
    error_line: str
    likely_cause: str
    steps: tuple[Step, ...]
    matters_to: tuple[str, ...] = ()
    """Tables and consumers affected."""
    still_visible: str = ""
    """What readers go on seeing, and as of when."""
    done_already: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    facts: dict[str, str] = Field(default_factory=dict)
    owner: Owner
    first_seen: AwareDatetime
    last_seen: AwareDatetime
    count: int = 1
    status: Literal["open", "closed"] = "open"
    closed_at: AwareDatetime | None = None
    closed_why: str | None = None

    @property
    def matter(self) -> str:
        """What tells apart open incidents of one pipeline, table, kind and cause: of requests, what each got wrong."""
        return f"{self.error_line}: {self.facts.get('got', '')}" if self.cause == RequestError.code else ""

    def numbered(self, number: int) -> Incident:
        """This draft with its number, also where its texts say ``{incident}``."""
        text = self.model_dump_json().replace(NUMBER_PLACEHOLDER, str(number))
        return Incident.model_validate_json(text).model_copy(update={"id": number})


class Delivery(Value):
    """An outbox row: one incident to one channel."""

    id: int
    incident_id: int
    channel: str
    status: Literal["waiting", "sent", "failed"]
    attempts: int = 0
    next_try_at: AwareDatetime
    last_error: str | None = None
