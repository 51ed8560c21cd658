"""Runbooks: Markdown that people read in the repository, and the only source of the steps an alert carries.

A file ``include/runbooks/<code>.md`` is a front matter (``title`` and ``likely_cause``, each a list of which the first
that can be filled is said, and ``needs``), an explanation, and below ``## Steps`` a numbered list::

    1. A Correct the rows at the source.

       ```sql
       {offending_sql}
       ```

       Otherwise: look the rows up by the examples above.

A step is words, then at most one ``sh`` block, one ``sql`` block or one link alone on its line. ``Otherwise:`` begins
the words (and block) that replace it when one of its facts is missing; there may be several, of which the first that
can be filled is said. The last one names only facts every failure has.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from headwater.domain.base import Value
from headwater.domain.errors import Location, SpecError
from headwater.services.incidents.placeholders import names_in

STANDARD_FACTS = frozenset({"incident", "pipeline", "run_id", "task", "team", "spec_file", "seen_at"})
"""Facts that every failure has."""
_STEP = re.compile(r"^\d+\. (?:([A-C]) )?(.*)$")
_FENCE = re.compile(r"^```(sh|sql)$")
_LINK = re.compile(r"^<(https?://[^>]+)>$")
_OTHERWISE = "Otherwise: "


class Alternative(Value):
    """The words of a step, with what to run or open."""

    text: str
    command: str | None = None
    sql: str | None = None
    url: str | None = None

    @property
    def needs(self) -> frozenset[str]:
        return names_in(" ".join(part for part in (self.text, self.command, self.sql, self.url) if part))


class RunbookStep(Value):
    """:param alternatives: the first whose facts are all there is said."""

    choice: str | None = None
    alternatives: tuple[Alternative, ...] = Field(min_length=1)


class FrontMatter(Value):
    """Templates of an alert's headline and of its most likely cause; the first that can be filled is said.

    :param needs: every fact the runbook names beyond the standard ones: what raisers should bring.
    """

    title: tuple[str, ...] = Field(min_length=1)
    likely_cause: tuple[str, ...] = Field(min_length=1)
    needs: tuple[str, ...] = ()


class Runbook(Value):
    code: str
    front: FrontMatter
    explanation: str
    steps: tuple[RunbookStep, ...] = Field(min_length=1)


def parse_runbook(text: str, file: Path) -> Runbook:
    """Read the text of one runbook; the stem of its file is the code.

    :raises SpecError: when it has not the form this module describes.
    """
    try:
        _, head, body = text.split("---\n", 2)
        explanation, _, listed = body.partition("\n## Steps\n")
        loaded: Any = yaml.safe_load(head)
        steps = tuple(_step(lines, file) for lines in _split_steps(listed, file))
        return Runbook(
            code=file.stem, front=FrontMatter.model_validate(loaded), explanation=explanation.strip(), steps=steps
        )
    except (ValueError, yaml.YAMLError, ValidationError) as error:
        raise SpecError(
            f"the runbook cannot be read: {error}",
            where=Location(str(file)),
            allowed="front matter (title, likely_cause, needs), an explanation, '## Steps', a numbered list",
        ) from error


def _split_steps(listed: str, file: Path) -> list[list[str]]:
    steps: list[list[str]] = []
    for line in listed.strip("\n").splitlines():
        if _STEP.match(line):
            steps.append([line])
        elif not steps or (line.strip() and not line.startswith("   ")):
            raise SpecError("a line belongs to no step", where=Location(str(file)), got=repr(line))
        else:
            steps[-1].append(line.removeprefix("   "))
    return steps


def _step(lines: list[str], file: Path) -> RunbookStep:
    match = _STEP.match(lines[0])
    choice, head = (match[1], match[2]) if match else (None, lines[0])
    bodies: list[list[str]] = [[head]]
    for line in lines[1:]:
        if line.startswith(_OTHERWISE):
            words = line.removeprefix(_OTHERWISE)
            bodies.append([words[:1].upper() + words[1:]])
        else:
            bodies[-1].append(line)
    return RunbookStep(choice=choice, alternatives=tuple(_alternative(body, file) for body in bodies))


def _alternative(lines: list[str], file: Path) -> Alternative:
    words: list[str] = []
    blocks: dict[str, list[str]] = {}
    open_block: str | None = None
    for line in lines:
        fence, link = _FENCE.match(line), _LINK.match(line)
        if fence and open_block is None:
            open_block = fence[1]
            blocks[open_block] = []
        elif line == "```" and open_block:
            open_block = None
        elif open_block:
            blocks[open_block].append(line)
        elif link:
            blocks["url"] = [link[1]]
        else:
            words.append(line.strip())
    if open_block or len(blocks) > 1:
        raise SpecError("a step has one closed block at most", where=Location(str(file)), got=" ".join(words))
    texts = {kind: "\n".join(block) for kind, block in blocks.items()}
    return Alternative(
        text=" ".join(word for word in words if word),
        command=texts.get("sh"),
        sql=texts.get("sql"),
        url=texts.get("url"),
    )
