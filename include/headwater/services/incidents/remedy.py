"""Fills a runbook with the facts of one failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headwater.domain.base import Value
from headwater.domain.incident import Step
from headwater.services.incidents.placeholders import FactMissingError, fill_command, fill_sql, fill_text, names_in
from headwater.services.incidents.runbook import Alternative, Runbook, RunbookStep


class Remedy(Value):
    title: str
    likely_cause: str
    steps: tuple[Step, ...]


def remedy(runbook: Runbook, facts: Mapping[str, str]) -> Remedy:
    """The runbook's words and steps for these facts; a step whose facts are missing says its other words.

    :raises FactMissingError: when words meant for missing facts name a fact that is missing as well, which
        ``tests/unit/services/incidents/test_runbooks.py`` keeps from happening.
    """
    steps = (_step(step, facts) for step in runbook.steps)
    return Remedy(
        title=_first_filled(runbook.front.title, facts),
        likely_cause=_first_filled(runbook.front.likely_cause, facts),
        steps=tuple(step for step in steps if step is not None),
    )


def _first_filled(templates: Sequence[str], facts: Mapping[str, str]) -> str:
    for template in templates[:-1]:
        if all(facts.get(name) for name in names_in(template) - {"incident"}):
            return fill_text(template, facts)
    return fill_text(templates[-1], facts)


def _step(step: RunbookStep, facts: Mapping[str, str]) -> Step | None:
    for part in step.alternatives:
        try:
            return _filled(part, step.choice, facts)
        except FactMissingError:
            continue
    return None


def _filled(part: Alternative, choice: str | None, facts: Mapping[str, str]) -> Step:
    return Step(
        text=fill_text(part.text, facts),
        command=None if part.command is None else fill_command(part.command, facts),
        sql=None if part.sql is None else fill_sql(part.sql, facts),
        connection=facts.get("connection") if part.sql is not None else None,
        url=None if part.url is None else fill_text(part.url, facts),
        choice=choice,
    )
