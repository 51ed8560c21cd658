"""Thresholds of checks: one comparison, with numbers. Of anything else Soda says nothing until the gate judges."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from headwater.model.contracts.grammar import COMPARISONS, THRESHOLD_KEYS
from headwater.model.schedules import Finding
from headwater.model.spec_errors import shown

_RANGES = frozenset({"must_be_between", "must_be_not_between"})
_LOWER, _UPPER = ("greater_than", "greater_than_or_equal"), ("less_than", "less_than_or_equal")
_VARIABLE = re.compile(r"\$\{\s*var\.(\w+)\s*\}")
_RANGE_RULE = "{greater_than[_or_equal]: a number, less_than[_or_equal]: a number}"

At = tuple[str | int, ...]


def threshold_findings(threshold: dict[str, Any], at: At, variables: Mapping[str, str]) -> Iterator[Finding]:
    """What is wrong with a threshold, and with the additional one below it.

    :param variables: the contract's, with their defaults; one may stand for a number.
    """
    for key in threshold:
        if key not in THRESHOLD_KEYS:
            yield (*at, key), f"unknown key {key!r}", key, ", ".join(sorted(THRESHOLD_KEYS))
    found = sorted(key for key in threshold if key in COMPARISONS)
    if len(found) != 1:
        message = "a threshold has exactly one comparison; Soda would not evaluate it and say it is fine"
        yield at, message, ", ".join(found) or "none", "one of " + ", ".join(sorted(COMPARISONS))
    for key in found:
        if key in _RANGES:
            yield from _range(threshold[key], (*at, key), variables)
        else:
            yield from _number(threshold[key], (*at, key), variables)
    percents = [value for key in found for value in _numbers(threshold[key]) if threshold.get("metric") == "percent"]
    if any(not 0 <= value <= 100 for value in percents):
        yield (*at, "metric"), "a percentage lies between 0 and 100", shown(percents), "0 to 100"
    if isinstance(threshold.get("additional"), dict):
        yield from threshold_findings(threshold["additional"], (*at, "additional"), variables)


def _range(value: object, at: At, variables: Mapping[str, str]) -> Iterator[Finding]:
    bounds = value if isinstance(value, dict) else {}
    lower, upper = ([key for key in bounds if key in side] for side in (_LOWER, _UPPER))
    if len(lower) != 1 or len(upper) != 1 or len(bounds) != 2:
        yield at, "a range has one lower and one upper bound", shown(value), _RANGE_RULE
        return
    if len(numbers := _numbers(bounds)) == 2 and _is_empty(bounds, lower[0], upper[0]):
        yield at, "nothing lies in this range", shown(numbers), "a lower bound below the upper one"
    for key, bound in bounds.items():
        yield from _number(bound, (*at, key), variables)


def _is_empty(bounds: Mapping[str, float], lower: str, upper: str) -> bool:
    holds_ends = lower.endswith("or_equal") and upper.endswith("or_equal")
    return bounds[lower] > bounds[upper] or (bounds[lower] == bounds[upper] and not holds_ends)


def count_findings(threshold: dict[str, Any], at: At) -> Iterator[Finding]:
    """Bounds below 0, where no number of rows ever is: such a gate is always open, or never."""
    for key in sorted(COMPARISONS.intersection(threshold)):
        value = threshold[key]
        ends = value if isinstance(value, dict) else {"": value}
        for name, bound in ends.items():
            place = (*at, key, name) if name else (*at, key)
            if not _numbers(bound):
                continue
            if bound < 0:
                yield place, "a number of rows is never below 0", shown(bound), "0 or more"
            elif bound == 0 and key == "must_be_less_than":
                yield place, "this gate never opens: no number of rows is below 0", shown(bound), "must_be: 0"
    if isinstance(threshold.get("additional"), dict):
        yield from count_findings(threshold["additional"], (*at, "additional"))


def _number(value: object, at: At, variables: Mapping[str, str]) -> Iterator[Finding]:
    named = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
    told = variables.get(named[1]) if named is not None else value
    if named is not None and told is None:
        return  # the variable is missing, which is told where variables are
    if not _is_number(told, as_text=named is not None):
        yield at, "a check compares with a number", shown(value), "a number without quotes, such as 0 or 0.5"


def _numbers(value: object) -> list[float]:
    """The numbers of a comparison, or of both bounds of a range; variables are left out."""
    values = value.values() if isinstance(value, dict) else [value]
    return [float(bound) for bound in values if isinstance(bound, int | float) and _is_number(bound, as_text=False)]


def _is_number(value: object, *, as_text: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, str if as_text else int | float):
        return False
    try:
        return math.isfinite(float(value))
    except (ValueError, OverflowError):
        return False
