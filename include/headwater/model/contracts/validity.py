"""What a column rule says is valid: bounds that some value lies between, patterns that compile."""

from __future__ import annotations

from collections.abc import Iterator

from headwater.model.contracts.contract import Written
from headwater.model.contracts.grammar import FORMATS, LENGTHS
from headwater.model.patterns import pattern_fault
from headwater.model.schedules import Finding
from headwater.model.spec_errors import shown

_PAIRS = (
    ("valid_min", "valid_max"),
    ("valid_min_length", "valid_max_length"),
    ("valid_min_length", "valid_length"),
    ("valid_length", "valid_max_length"),
)


def validity_findings(check: Written) -> Iterator[Finding]:
    """Rules that no value keeps, or that the engine could not apply."""
    yield from _lengths(check)
    for lower, upper in _PAIRS:
        least, most = _number(check, lower), _number(check, upper)
        if least is not None and most is not None and least > most:
            message = f"no value is valid: {lower} is above {upper}"
            yield (*check.at, lower), message, f"{lower}: {least}, {upper}: {most}", f"{upper} of {lower} or more"
    for key in FORMATS:
        written = check.body.get(key)
        pattern = written.get("regex") if isinstance(written, dict) else None
        fault = pattern_fault(pattern) if isinstance(pattern, str) and "${" not in pattern else None
        if fault is not None:
            yield (*check.at, key, "regex"), fault, shown(pattern), "a regular expression as Java reads it"


def _lengths(check: Written) -> Iterator[Finding]:
    for key in LENGTHS:
        value = check.body.get(key, 0)
        if not isinstance(value, int) or isinstance(value, bool):
            yield (*check.at, key), "a length is a whole number", shown(value), "a whole number"
        elif value < 0:
            yield (*check.at, key), "a length is never below 0", shown(value), "0 or more"


def _number(check: Written, key: str) -> int | float | None:
    value = check.body.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
