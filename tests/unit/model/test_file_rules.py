"""Options of files that contradict each other, or mean nothing, are named with what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from headwater.domain.spec import ExternalExtract, FilesExtract
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
        ({"mode": "snapshot"}, "mode"),
        ({"format": "delta", "marker": "_SUCCESS"}, "marker"),
        ({"format": "delta", "partitions": ["b"]}, "partitions"),
        ({"format": "delta", "stable_for": "5m"}, "stable_for"),
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
        {"format": "delta"},
        {"format": "delta", "mode": "snapshot", "undeclared_fields": "ignore"},
    ],
)
def test_what_fits_together_is_accepted(extract: dict[str, Any]) -> None:
    assert found(**extract) == []


JOB = {"connection": "jobs", "start": "/jobs", "status": "/jobs/{id}"}


def found_of_job(extract: dict[str, Any] | None = None, **job: Any) -> list[str]:
    values = {"path": "x", "columns": COLUMNS, "manifest": "x/{key}.json", "job": JOB | job} | (extract or {})
    return [".".join(map(str, path[1:])) for path, *_ in file_findings(ExternalExtract.model_validate(values))]


@pytest.mark.parametrize(
    ("extract", "job", "key"),
    [
        ({"manifest": "x/manifest.json"}, {}, "manifest"),  # one of an earlier run would be taken for this one's
        ({"format": "delta"}, {}, "format"),
        ({"marker": "_SUCCESS"}, {}, "format"),
        ({}, {"start": "jobs"}, "job.start"),
        ({}, {"start": "https://elsewhere.example.com/jobs"}, "job.start"),
        ({}, {"status": "/jobs"}, "job.status"),
        ({}, {"status": ""}, "job.status"),
        ({}, {"find": "/jobs"}, "job.find"),
    ],
)
def test_a_job_that_could_not_be_told_from_another_is_named(
    extract: dict[str, Any], job: dict[str, Any], key: str
) -> None:
    assert key in found_of_job(extract, **job)


@pytest.mark.parametrize(
    ("job", "key"),
    [
        ({"poll_every": "2h", "timeout": "1h"}, "job.poll_every"),
        ({"failed": ["Done"]}, "job.failed"),
        ({"running": ["ok"], "succeeded": ["OK"]}, "job.succeeded"),
        ({"succeeded": []}, "job.succeeded"),
        ({"service": "data_factory", "poll_every": "2h", "timeout": "1h"}, "job.poll_every"),
    ],
)
def test_a_wait_that_cannot_end_as_declared_is_named(job: dict[str, Any], key: str) -> None:
    assert found_of_job(**job) == [key]


@pytest.mark.parametrize("job", [{"poll_every": "0s"}, {"timeout": "0s"}])
def test_a_wait_of_no_time_is_refused(job: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        found_of_job(**job)


@pytest.mark.parametrize(
    "job", [{}, {"find": "/jobs?key={key}"}, {"service": "data_factory", "start": "export", "status": ""}]
)
def test_a_job_that_can_be_started_and_looked_at_is_accepted(job: dict[str, Any]) -> None:
    assert found_of_job(**job) == []
