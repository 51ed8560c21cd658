"""Fills a runbook with the facts of one failure."""

from __future__ import annotations

from collections.abc import Mapping

from headwater.domain.base import Value
from headwater.domain.incident import Step
from headwater.services.incidents.placeholders import FactMissingError, fill_command, fill_sql, fill_text
from headwater.services.incidents.runbook import Alternative, Runbook, RunbookStep, Wording


class Remedy(Value):
    title: str
    likely_cause: str
    steps: tuple[Step, ...]


def remedy(runbook: Runbook, facts: Mapping[str, str]) -> Remedy:
    """The runbook's words and steps for these facts; a step whose facts are missing says its other words.

    :raises FactMissingError: when words meant for missing facts name a fact that is missing as well, which
        ``tests/unit/services/incidents/test_runbooks.py`` keeps from happening.
    """
    wording = _wording(runbook.front, facts) or _wording(runbook.front.otherwise, facts)
    if wording is None:
        raise FactMissingError(f"runbook {runbook.code}: title or likely_cause")
    steps = tuple(step for step in (_step(step, facts) for step in runbook.steps) if step is not None)
    return Remedy(title=wording.title, likely_cause=wording.likely_cause, steps=steps)


def _wording(template: Wording, facts: Mapping[str, str]) -> Wording | None:
    try:
        return Wording(title=fill_text(template.title, facts), likely_cause=fill_text(template.likely_cause, facts))
    except FactMissingError:
        return None


def _step(step: RunbookStep, facts: Mapping[str, str]) -> Step | None:
    try:
        return _filled(step.first, step.choice, facts)
    except FactMissingError:
        return None if step.otherwise is None else _filled(step.otherwise, step.choice, facts)


def _filled(part: Alternative, choice: str | None, facts: Mapping[str, str]) -> Step:
    return Step(
        text=fill_text(part.text, facts),
        command=None if part.command is None else fill_command(part.command, facts),
        sql=None if part.sql is None else fill_sql(part.sql, facts),
        connection=facts.get("connection") if part.sql is not None else None,
        url=None if part.url is None else fill_text(part.url, facts),
        choice=choice,
    )
