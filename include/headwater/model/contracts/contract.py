"""Soda contracts: which checks one declares, which rows they mean, and which of them divert rows (rule 40)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import Field

from headwater.domain.base import Value
from headwater.domain.errors import SpecError
from headwater.model.contracts.grammar import COMPARISONS, ON_FAILURE, QUARANTINE
from headwater.model.contracts.predicates import row_predicate
from headwater.model.yaml_text import YamlDocument, parse_yaml

_DEFAULTS = {"row_count": "must_be_greater_than 0", "schema": ""}
_VARIABLE = re.compile(r"\$\{\s*var\.(\w+)\s*\}")


class DeclaredCheck(Value):
    """One check as a contract declares it.

    :param path: Soda's relative path, stable across runs: ``columns.origin.checks.missing``.
    :param predicate: Spark SQL, true or false, true for an offending row; None when the check judges no single rows.
    """

    path: str
    type: str
    column: str | None = None
    name: str
    threshold: str
    attributes: dict[str, Any] = Field(default_factory=dict)
    predicate: str | None = None

    @property
    def diverts(self) -> bool:
        """Whether offending rows go to quarantine before the gate."""
        return self.attributes.get(ON_FAILURE) == QUARANTINE


class Written(Value):
    """A check where it stands in the file; ``at`` is its path of keys."""

    at: tuple[str | int, ...]
    type: str
    column: str | None
    body: dict[str, Any]

    @property
    def path(self) -> str:
        """Soda's relative path."""
        qualifier = self.body.get("qualifier")
        place = ("columns", self.column) if self.column is not None else ()
        last = () if qualifier is None else (str(qualifier),)
        return ".".join((*place, "checks", self.type, *last))


def parse_contract(text: str, file: str) -> YamlDocument:
    """Parse a contract. Dates have to be quoted: Soda would take an unquoted one for no bound at all.

    :raises SpecError: naming the line.
    """
    return parse_yaml(text.encode(), file, dates_as_text=False)


def declared_checks(text: str, file: str = "contract") -> tuple[DeclaredCheck, ...]:
    """Every check of a contract, in the order of the file: columns first, as Soda reports them.

    :raises SpecError: when the text is no contract.
    """
    content = parse_contract(text, file).value
    if not isinstance(content, dict):
        raise SpecError("a contract is a mapping", got=type(content).__name__)
    return tuple(_declared(written, content) for written in written_checks(content))


def quarantine_rules(text: str) -> dict[str, str]:
    """Rule name -> predicate of the rows to divert before the gate.

    :raises SpecError: when the text is no contract.
    """
    diverting = (check for check in declared_checks(text) if check.diverts)
    return {check.name: check.predicate for check in diverting if check.predicate is not None}


def written_checks(content: dict[str, Any]) -> Iterator[Written]:
    """The well-formed checks of a parsed contract; what is malformed is the lint's to name."""
    for index, column in enumerate(_listed(content.get("columns"))):
        if isinstance(column, dict) and isinstance(column.get("name"), str):
            at = ("columns", index, "checks")
            yield from _written(_listed(column.get("checks")), at, column["name"])
    yield from _written(_listed(content.get("checks")), ("checks",), None)


def threshold_text(kind: str, threshold: dict[str, Any] | None) -> str:
    """``must_be_less_than 5 percent``: the comparison for people, Soda's default where none is written."""
    default = _DEFAULTS.get(kind, "must_be 0")
    if not threshold:
        return default
    found = [f"{key} {threshold[key]}" for key in threshold if key in COMPARISONS]
    unit = threshold.get("unit") or threshold.get("metric")
    level = "" if threshold.get("level", "fail") == "fail" else " (warns)"
    return " and ".join(found or [default]) + (f" {unit}" if unit not in {None, "count"} else "") + level


def variables_of(content: dict[str, Any]) -> dict[str, str]:
    """Declared variables with their defaults as text."""
    declared = content.get("variables")
    found = declared.items() if isinstance(declared, dict) else ()
    return {name: str(value["default"]) for name, value in found if isinstance(value, dict) and "default" in value}


def _written(items: list[Any], at: tuple[str | int, ...], column: str | None) -> Iterator[Written]:
    for index, item in enumerate(items):
        if isinstance(item, dict) and len(item) == 1:
            kind, body = next(iter(item.items()))
            if body is None or isinstance(body, dict):
                yield Written(at=(*at, index, kind), type=kind, column=column, body=body or {})


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _declared(written: Written, content: dict[str, Any]) -> DeclaredCheck:
    variables = variables_of(content)
    predicate = row_predicate(written.type, written.column, written.body, content.get("filter"))
    threshold = written.body.get("threshold")
    attributes = written.body.get("attributes")
    return DeclaredCheck(
        path=written.path,
        type=written.type,
        column=written.column,
        name=str(written.body.get("name") or written.path),
        threshold=threshold_text(written.type, threshold if isinstance(threshold, dict) else None),
        attributes=attributes if isinstance(attributes, dict) else {},
        predicate=None if predicate is None else _VARIABLE.sub(lambda match: variables.get(match[1], ""), predicate),
    )
