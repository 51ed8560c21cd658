"""What must hold for an extract of files, beyond the types of its keys."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from headwater.domain.duration import format_duration
from headwater.domain.external import ExternalJob
from headwater.domain.spec import ExternalExtract, FilesExtract
from headwater.model.schedules import Finding

_ONLY = {
    **dict.fromkeys(("header", "delimiter", "quote", "escape", "null"), ("csv",)),
    **dict.fromkeys(("encoding", "max_record_bytes"), ("csv", "jsonl", "json")),
    **dict.fromkeys(
        ("compression", "partitions", "stable_for", "marker", "manifest", "replaced", "max_expansion"),
        ("csv", "jsonl", "json", "parquet"),
    ),
}
"""Keys that mean something for some formats only."""


def file_findings(extract: FilesExtract) -> Iterator[Finding]:
    """What is wrong with it; paths start at the table."""
    yield from _paths(extract)
    yield from _partitions(extract)
    yield from _formats(extract)
    if isinstance(extract, ExternalExtract):
        yield from _external(extract)
    if extract.format == "csv":
        yield from _dialect(extract)


def _paths(extract: FilesExtract) -> Iterator[Finding]:
    for key in ("path", "manifest"):
        value = getattr(extract, key)
        if value is not None and (".." in value.split("/") or "\\" in value):
            yield ("extract", key), "the path leaves its folder", repr(value), "a folder or glob without .."
    if extract.marker is not None and ("/" in extract.marker or "\\" in extract.marker or not extract.marker):
        yield ("extract", "marker"), "a marker lies beside its file", repr(extract.marker), "{name}.done, or _SUCCESS"


def _partitions(extract: FilesExtract) -> Iterator[Finding]:
    for name in extract.partitions:
        if name not in extract.columns:
            message = f"the partition {name!r} has no type"
            yield ("extract", "partitions"), message, repr(name), f"columns: {{{name}: <type>}}"
    if not extract.file_columns:
        yield ("extract", "partitions"), "no column is left in the files", None, "at least one that is no partition"


def _formats(extract: FilesExtract) -> Iterator[Finding]:
    for key, formats in _ONLY.items():
        if key in extract.model_fields_set and extract.format not in formats:
            message = f"{key} means nothing for files of format {extract.format}"
            yield ("extract", key), message, repr(getattr(extract, key)), f"format {' or '.join(formats)}, or no {key}"
    if extract.mode == "snapshot" and extract.format != "delta":
        message = "files are read once each; only a Delta table has versions to read whole"
        yield ("extract", "mode"), message, "snapshot", "incremental, or format delta"
    if extract.format == "parquet" and extract.compression not in ("auto", "none"):
        message = "Parquet files have their own compression"
        yield ("extract", "compression"), message, extract.compression, "none, or no compression"
    if extract.undeclared_fields == "quarantine" and extract.format not in ("jsonl", "json"):
        message = "only records of JSON can be set aside for a field"
        yield ("extract", "undeclared_fields"), message, "quarantine", "stop or ignore"


def _dialect(extract: FilesExtract) -> Iterator[Finding]:
    signs = {"delimiter": extract.delimiter, "quote": extract.quote, "escape": extract.escape}
    for key, sign in signs.items():
        if sign in ("\n", "\r", "\0"):
            yield ("extract", key), f"the {key} ends lines", repr(sign), "another character"
        twin = next((other for other, value in signs.items() if other != key and value and value == sign), None)
        if twin is not None and key != "delimiter":
            allowed = (
                "an empty escape: quotes are doubled" if {key, twin} == {"quote", "escape"} else "another character"
            )
            yield ("extract", key), f"{key} and {twin} are the same character", repr(sign), allowed


def _external(extract: ExternalExtract) -> Iterator[Finding]:
    job = extract.job
    if "{key}" not in extract.manifest:
        message = "a manifest without {key} may be that of an earlier run"
        yield ("extract", "manifest"), message, repr(extract.manifest), "orders/{key}.manifest.json"
    if extract.format == "delta" or extract.mode != "incremental" or extract.marker is not None:
        message = "what a job delivers is what its manifest lists"
        yield ("extract", "format"), message, None, "mode incremental, no marker, and another format than delta"
    yield from _waiting(job)
    if job.service == "data_factory":
        return
    for key, path, part in (("start", job.start, ""), ("status", job.status, "{id}"), ("find", job.find, "{key}")):
        if (path or key != "find") and (not path.startswith("/") or part not in path):
            allowed = f"a path that begins with /{f' and has {part}' if part else ''}"
            yield ("extract", "job", key), f"{key} is no such path", repr(path), allowed


def _waiting(job: ExternalJob) -> Iterator[Finding]:
    if job.poll_every > job.timeout:
        got = f"poll_every: {format_duration(job.poll_every)}, timeout: {format_duration(job.timeout)}"
        message = "the job would be given up before it is asked for the first time"
        yield ("extract", "job", "poll_every"), message, got, "at most the timeout"
    if not job.succeeded:
        yield ("extract", "job", "succeeded"), "no state would end the wait well", "an empty list", "at least one state"
    for first, second in combinations(("running", "succeeded", "failed"), 2):
        both = sorted({*map(str.lower, getattr(job, first))} & {*map(str.lower, getattr(job, second))})
        if both:
            message = f"a state is both {first} and {second}"
            yield ("extract", "job", second), message, ", ".join(both), "each state in one of the three lists"
