"""The parts of an alert in reading order, the same for every channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headwater.domain.incident import Incident, Step

KIND_WORDS = {"failed": "failed", "held": "held back", "late": "late", "notice": "note"}


@dataclass(frozen=True)
class Section:
    """A heading with its lines."""

    heading: str
    lines: tuple[str, ...]


def headline(incident: Incident) -> str:
    """One line: number, kind, title."""
    return f"[Headwater #{incident.id} {KIND_WORDS[incident.kind]}] {incident.title}"


def digest_headline(incidents: Sequence[Incident]) -> str:
    """One line for many incidents of one owner."""
    return f"[Headwater] {len(incidents)} incidents for {incidents[0].owner.team}"


def digest_line(incident: Incident) -> str:
    """One incident of a digest, with the command that shows its steps."""
    return f"#{incident.id} {incident.pipeline} [{incident.cause}] {incident.title}"


def sections(incident: Incident) -> tuple[Section, ...]:
    """What failed, why, for whom, and what goes on as before; the steps come after these."""
    since = f"{incident.first_seen:%Y-%m-%d %H:%M} UTC"
    seen = since if incident.count == 1 else f"{since}, {incident.count} times, last {incident.last_seen:%m-%d %H:%M}"
    parts = (
        Section("Error", (incident.error_line,)),
        Section("Most likely", (incident.likely_cause,)),
        Section("Matters to", incident.matters_to or ("nobody downstream",)),
        Section("Still visible", (incident.still_visible,)),
        Section("Done already", incident.done_already),
        Section("Since", (seen,)),
        Section("Owner", (incident.owner.team,)),
    )
    return tuple(part for part in parts if any(part.lines))


def step_label(step: Step, number: int) -> str:
    """``2 A`` for the alternative A of step 2; alternatives share a number."""
    return f"{number}{' ' + step.choice if step.choice else ''}"


def numbered_steps(steps: Sequence[Step]) -> tuple[tuple[str, Step], ...]:
    """Steps with their labels: alternatives that follow one another are one step with a choice."""
    numbered: list[tuple[str, Step]] = []
    number = 0
    in_choice = False
    for step in steps:
        number += 0 if in_choice and step.choice not in {None, "A"} else 1
        in_choice = step.choice is not None
        numbered.append((step_label(step, number), step))
    return tuple(numbered)


def sql_caption(step: Step) -> str:
    """Where a statement is run."""
    return "at the source" if step.connection is None else f"in the database of the connection {step.connection}"
