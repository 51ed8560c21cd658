"""What the YAML parser objects to, in words a person can act on."""

from __future__ import annotations

import yaml

from headwater.domain.errors import Location, SpecError

_NO_YAML = "this is not valid YAML"


def explained(error: yaml.YAMLError, text: str, display: str) -> SpecError:
    """The refusal of a text that cannot be parsed, naming the line where the parser tells it."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        return SpecError(f"{_NO_YAML}: {_fault(error, text, line)}", Location(display, line))
    if isinstance(error, yaml.reader.ReaderError):
        # libyaml counts bytes
        line, got = text.encode()[: error.position].count(b"\n") + 1, f"the character U+{error.character:04X}"
        return SpecError(f"{_NO_YAML}: it is not all text", Location(display, line), got, "text")
    return SpecError(f"{_NO_YAML}: {' '.join(str(error).split())[:200]}", Location(display))


def _fault(error: yaml.MarkedYAMLError, text: str, line: int | None) -> str:
    found = [] if line is None else text.splitlines()[line - 1 : line]
    if found and "\t" in found[0][: len(found[0]) - len(found[0].lstrip())]:
        return "a tab does not indent; write blanks"
    return str(error.problem or error.context)
