"""Every cause has a runbook whose steps are real commands, and nothing unfilled reaches an alert."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer import Context
from typer.core import TyperGroup
from typer.main import get_group

from headwater.adapters.runbook_folder import load_runbooks
from headwater.cli.main import app
from headwater.domain.engine_errors import EngineRefusedError
from headwater.domain.errors import HeadwaterError, SpecError
from headwater.domain.extract_errors import ExtractShrunkError
from headwater.domain.job_errors import JobFailedError
from headwater.domain.maintenance_errors import MaintenanceError
from headwater.domain.release_errors import TornReleaseError
from headwater.domain.storage_errors import CatalogRefusedError
from headwater.services.incidents.placeholders import PLACEHOLDER, names_in
from headwater.services.incidents.remedy import remedy
from headwater.services.incidents.runbook import STANDARD_FACTS, Alternative, Runbook, parse_runbook

REPOSITORY = Path(__file__).parents[4]
RUNBOOKS = load_runbooks(REPOSITORY / "include" / "runbooks")
WITHOUT_ERROR_CLASS = {
    "files_refused",
    "offload_killed",
    "task_killed",
    "run_stuck",
    "late",
    "schema_changed",
    "unknown",
}
STANDARD = {
    "pipeline": "flights",
    "run_id": "manual__1",
    "task": "validate_silver",
    "team": "aviation",
    "spec_file": "dags/sources/flights.yaml",
    "seen_at": "2026-11-21 12:00 UTC",
}


def _codes(cls: type[HeadwaterError]) -> set[str]:
    return {cls.code}.union(*(_codes(child) for child in cls.__subclasses__()))


def _alternatives(runbook: Runbook) -> list[Alternative]:
    return [part for step in runbook.steps for part in step.alternatives]


every_runbook = pytest.mark.parametrize("runbook", RUNBOOKS.values(), ids=RUNBOOKS.keys())


def test_every_error_code_has_a_runbook_and_every_runbook_a_cause() -> None:
    raised = (
        JobFailedError,
        MaintenanceError,
        CatalogRefusedError,
        EngineRefusedError,
        ExtractShrunkError,
        TornReleaseError,
    )
    codes = {error.code for error in raised}
    assert codes <= set(RUNBOOKS)
    assert set(RUNBOOKS) == _codes(HeadwaterError) | WITHOUT_ERROR_CLASS


@every_runbook
def test_every_placeholder_is_declared(runbook: Runbook) -> None:
    parts = [*runbook.front.title, *runbook.front.likely_cause]
    parts += [text for part in _alternatives(runbook) for text in (part.text, part.command, part.sql, part.url) if text]
    used = names_in(" ".join(parts))
    assert used - STANDARD_FACTS == set(runbook.front.needs)


@every_runbook
def test_words_for_missing_facts_need_only_what_every_failure_has(runbook: Runbook) -> None:
    assert names_in(runbook.front.title[-1] + runbook.front.likely_cause[-1]) <= STANDARD_FACTS
    for step in runbook.steps:
        last = step.alternatives[-1]
        assert last.needs <= STANDARD_FACTS, last.text


@every_runbook
def test_without_facts_every_step_is_still_said_in_words(runbook: Runbook) -> None:
    filled = remedy(runbook, STANDARD)
    assert len(filled.steps) == len(runbook.steps)
    text = filled.model_dump_json().replace("{incident}", "7").replace("{ incident }", "")
    assert not re.search(r"\{[a-z_]+\}", text), text


@every_runbook
def test_with_all_facts_nothing_is_left_unfilled(runbook: Runbook) -> None:
    facts = STANDARD | {name: f"<{name}>" for name in runbook.front.needs}
    text = remedy(runbook, facts).model_dump_json()
    assert not names_in(text) - {"incident"}


@every_runbook
def test_commands_are_ones_the_command_line_takes(runbook: Runbook) -> None:
    """With their arguments and options: nothing is run."""
    for part in _alternatives(runbook):
        for line in (part.command or "").splitlines():
            words = shlex.split(PLACEHOLDER.sub("7", line.replace("{incident}", "7")))
            assert words == ["make", "demo"] or words[:3] == ["uv", "run", "headwater"], line
            if words[0] == "uv":
                _parse(get_group(app), words[3:])


def _parse(group: TyperGroup, words: list[str]) -> None:
    with Context(group) as context:
        command = group.get_command(context, words[0])
        assert command is not None, f"no command {words[0]}"
        if isinstance(command, TyperGroup):
            _parse(command, words[1:])
        else:
            command.make_context(words[0], words[1:], context)


@every_runbook
def test_at_least_one_step_can_be_run(runbook: Runbook) -> None:
    assert any(part.command or part.sql for part in _alternatives(runbook))


@every_runbook
def test_no_step_sends_people_to_the_logs(runbook: Runbook) -> None:
    whole = runbook.explanation + " ".join(part.text for part in _alternatives(runbook))
    assert not re.search(r"\b(check|see|look (at|into)|read|inspect)\b[^.]{0,30}\blogs?\b", whole, re.IGNORECASE)


def test_choices_begin_with_a_and_are_in_order() -> None:
    for runbook in RUNBOOKS.values():
        letters = "".join(step.choice or " " for step in runbook.steps)
        assert all(choice in {"", "AB", "ABC"} for choice in letters.split()), runbook.code


@pytest.mark.parametrize(
    "text",
    [
        "no front matter",
        "---\ntitle: [t]\nlikely_cause: [c]\ntypo: 1\n---\nx\n\n## Steps\n\n1. Do it.\n",
        "---\ntitle: [t]\nlikely_cause: [c]\n---\nx\n\n## Steps\n",
        "---\ntitle: [t]\nlikely_cause: [c]\n---\nx\n\n## Steps\n\n1. Do.\n\n   ```sh\n   never closed\n",
        "---\ntitle: [t]\nlikely_cause: [c]\n---\nx\n\n## Steps\n\nnot a step\n",
    ],
    ids=["no_front_matter", "unknown_key", "no_steps", "open_block", "stray_line"],
)
def test_a_malformed_runbook_is_refused_by_file(text: str) -> None:
    with pytest.raises(SpecError, match=r"broken\.md"):
        parse_runbook(text, Path("broken.md"))
