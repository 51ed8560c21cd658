"""Options of files that contradict each other, or mean nothing, are named with what is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.domain.spec import FilesExtract
from headwater.model.file_rules import file_findings

COLUMNS = {"a": "int", "b": "string"}


def found(**extract: Any) -> list[tuple[str, str]]:
    values = {"path": "x", "columns": COLUMNS} | extract
    return [(str(path[1]), message) for path, message, _, _ in file_findings(FilesExtract.model_validate(values))]


@pytest.mark.parametrize(
    ("extract", "key"),
    [
        ({"path": "../x"}, "path"),
        ({"manifest": "x/../../*.json"}, "manifest"),
        ({"marker": "done/{name}"}, "marker"),
        ({"marker": ""}, "marker"),
        ({"partitions": ["c"]}, "partitions"),
        ({"partitions": ["a", "b"]}, "partitions"),
        ({"format": "json", "delimiter": ";"}, "delimiter"),
        ({"format": "parquet", "encoding": "utf-16"}, "encoding"),
        ({"format": "parquet", "compression": "gzip"}, "compression"),
        ({"undeclared_fields": "quarantine"}, "undeclared_fields"),
        ({"delimiter": "\n"}, "delimiter"),
        ({"quote": ","}, "quote"),
        ({"escape": '"'}, "quote"),
    ],
)
def test_a_contradiction_is_named(extract: dict[str, Any], key: str) -> None:
    assert key in [name for name, _ in found(**extract)]


@pytest.mark.parametrize(
    "extract",
    [
        {},
        {"format": "jsonl", "undeclared_fields": "quarantine", "encoding": "latin-1"},
        {"format": "parquet", "compression": "none", "partitions": ["b"]},
        {"delimiter": "\t", "quote": "", "escape": "\\", "marker": "_SUCCESS"},
        {"manifest": "**/*.manifest.json", "replaced": "read_again"},
    ],
)
def test_what_fits_together_is_accepted(extract: dict[str, Any]) -> None:
    assert found(**extract) == []
