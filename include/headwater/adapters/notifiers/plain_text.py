"""An alert as plain text: the console, and the text part of a mail."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.adapters.notifiers.outline import (
    digest_headline,
    digest_line,
    headline,
    numbered_steps,
    sections,
    sql_caption,
)
from headwater.domain.incident import Incident, Step


def alert_text(incident: Incident) -> str:
    """The whole alert."""
    lines = [headline(incident), ""]
    for section in sections(incident):
        first, *more = section.lines
        lines.append(f"{section.heading + ':':<15}{first}")
        lines += [" " * 15 + line for line in more]
    lines += ["", "What to do:"]
    for label, step in numbered_steps(incident.steps):
        lines += _step_lines(label, step)
    lines += ["", *(f"{link.label}: {link.url}" for link in incident.links)]
    return "\n".join(lines) + "\n"


def digest_text(incidents: Sequence[Incident]) -> str:
    """Many incidents, one line each; none is left out."""
    head = [digest_headline(incidents), "", "Steps of each: uv run headwater incidents <number>", ""]
    return "\n".join([*head, *(digest_line(item) for item in incidents)]) + "\n"


def _step_lines(label: str, step: Step) -> list[str]:
    lines = [f"  {label}. {step.text}"]
    if step.command is not None:
        lines += [f"       $ {line}" for line in step.command.splitlines()]
    if step.sql is not None:
        lines += [f"       -- {sql_caption(step)}", *(f"       {line}" for line in step.sql.splitlines())]
    return lines + ([f"       {step.url}"] if step.url else [])
