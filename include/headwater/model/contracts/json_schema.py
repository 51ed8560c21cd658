"""Soda's own JSON schema of contracts, which its engine ships and never applies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwater.model.schedules import Finding
from headwater.model.spec_errors import shown

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

_FILE = "soda_core/contracts/soda_data_contract_json_schema_1_0_0.json"


def schema_findings(content: dict[str, Any]) -> Iterator[Finding]:
    """What Soda's schema refuses; nothing where Soda is not installed, as on an Airflow image without Spark."""
    from jsonschema.exceptions import best_match

    validator = _validator()
    error = best_match(validator.iter_errors(content)) if validator is not None else None
    if error is not None:
        allowed = "the contract language of Soda 4"
        yield tuple(error.absolute_path), error.message[:200], shown(error.instance), allowed


@cache
def _validator() -> Draft202012Validator | None:
    from jsonschema import Draft202012Validator

    try:
        # through the metadata, because importing soda_core starts its telemetry
        file = Path(str(distribution("soda-core").locate_file(_FILE)))
    except PackageNotFoundError:
        return None
    schema = json.loads(file.read_text(encoding="utf-8"))
    _complete(schema)
    return Draft202012Validator(schema)


def _complete(node: Any) -> None:
    """Let ``failed_rows`` and ``metric`` have the ``attributes`` and ``filter`` that the engine reads."""
    if isinstance(node, list):
        for item in node:
            _complete(item)
    if isinstance(node, dict):
        properties = node.get("properties")
        if isinstance(properties, dict) and {"expression", "query"} <= properties.keys():
            properties |= {"attributes": {"type": "object"}, "filter": {"type": "string"}}
        for value in node.values():
            _complete(value)
