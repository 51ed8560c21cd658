"""Fills ``{fact}`` in a runbook's texts, quoted for where the text will be read: by a person, a shell or a database."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping

from headwater.domain.incident import NUMBER_PLACEHOLDER

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
LONGEST_FACT = 400
_OWN_NUMBER = NUMBER_PLACEHOLDER.strip("{}")


class FactMissingError(KeyError):
    """A text names a fact that the failure did not bring."""


def names_in(text: str) -> frozenset[str]:
    """The facts a text names."""
    return frozenset(match[1] for match in PLACEHOLDER.finditer(text))


def fill_text(text: str, facts: Mapping[str, str]) -> str:
    """For a person: each value on one line, bounded in length.

    :raises FactMissingError: naming the fact; the incident's own number is left for the store to fill.
    """
    return _fill(text, facts, lambda _name, value: one_line(value, LONGEST_FACT))


def fill_command(text: str, facts: Mapping[str, str]) -> str:
    """For a POSIX shell: each value is one word, whatever it holds. :raises FactMissingError: as ``fill_text``."""
    return _fill(text, facts, lambda _name, value: shlex.quote(value))


def fill_sql(text: str, facts: Mapping[str, str]) -> str:
    """For a database: ``{x_sql}`` is a statement, the rest are literals. :raises FactMissingError: as ``fill_text``."""
    return _fill(text, facts, _sql_value)


def one_line(text: str, longest: int) -> str:
    """``text`` without line ends and control characters, cut at ``longest`` characters with an ellipsis."""
    flat = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"


def _sql_value(name: str, value: str) -> str:
    return value if name.endswith("_sql") else "'" + value.replace("'", "''") + "'"


def _fill(text: str, facts: Mapping[str, str], quote: Callable[[str, str], str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name == _OWN_NUMBER:
            return NUMBER_PLACEHOLDER
        if not facts.get(name):
            raise FactMissingError(name)
        # braces of a value would read as placeholders further on
        return quote(name, facts[name].replace(NUMBER_PLACEHOLDER, "{ incident }"))

    return PLACEHOLDER.sub(value, text)
