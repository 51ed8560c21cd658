"""The run's parameters, read back without trusting Airflow's check of them.

Airflow lets unknown keys pass, accepts a trailing newline where a pattern ends in ``$`` and does not enforce
``date-time``; a run may also be started through the API with any ``conf``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from headwater.domain.errors import RequestError
from headwater.domain.run import RunRequest
from headwater.domain.spec import PipelineSpec, SourceSpec
from headwater.services.rebuilding import rebuild_bound

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?)?", re.ASCII)
_COMMON = ("full_refresh", "dry_run", "reason", "rebuild", "rebuild_from")
_OF_SOURCES = ("tables", "window_from", "window_to")


def run_request(spec: PipelineSpec, params: Mapping[str, object]) -> RunRequest:
    """What a person or program asked of a run.

    :raises RequestError: naming the parameter, what it got and what is allowed.
    """
    allowed = (*_OF_SOURCES, *_COMMON) if isinstance(spec, SourceSpec) else _COMMON
    unknown = sorted(set(params) - set(allowed))
    if unknown:
        raise _refused(unknown[0], "there is no such parameter", params[unknown[0]], ", ".join(allowed))
    request = RunRequest(
        tables=_tables(spec, params.get("tables")),
        window_from=_instant("window_from", params.get("window_from")),
        window_to=_instant("window_to", params.get("window_to")),
        full_refresh=_truth("full_refresh", params.get("full_refresh", False)),
        dry_run=_truth("dry_run", params.get("dry_run", False)),
        reason=_reason(params.get("reason", "")),
        rebuild=_rebuild(params.get("rebuild")),
        rebuild_from=_bound(params.get("rebuild_from")),
    )
    _check_window(request)
    return request


def _tables(spec: PipelineSpec, value: object) -> tuple[str, ...]:
    if value is None or not isinstance(spec, SourceSpec):
        return ()
    names = [table.name for table in spec.tables]
    chosen = value if isinstance(value, list | tuple) else [value]
    for name in chosen:
        if not isinstance(name, str) or name not in names:
            raise _refused("tables", f"{spec.name} has no such table", name, ", ".join(names))
    return tuple(name for name in names if name in chosen)


def _rebuild(value: object) -> tuple[str, ...]:
    """Tables to derive again; whether this pipeline has them is judged with the plan."""
    chosen = value if isinstance(value, list | tuple) else [value] if value else []
    for name in chosen:
        if not isinstance(name, str):
            raise _refused("rebuild", "this is no table", name, "silver.<source>.<table> or gold.<source>.<table>")
    return tuple(dict.fromkeys(chosen))


def _bound(value: object) -> int | datetime | None:
    if value is None or value == "":
        return None
    return rebuild_bound(str(value))


def _instant(name: str, value: object) -> datetime | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or _INSTANT.fullmatch(value) is None:
        raise _refused(name, "this is no instant", value, "2013-02-01T00:00:00Z; without a zone it is UTC")
    try:
        instant = datetime.fromisoformat(value)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _refused(name, f"this is no instant: {error}", value, "2013-02-01T00:00:00Z") from error


def _truth(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _refused(name, "this is neither true nor false", value, "true, false")
    return value


def _reason(value: object) -> str:
    limit = 500
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit:
        raise _refused("reason", f"a reason is text of at most {limit} characters", value, "a sentence")
    return value


def _check_window(request: RunRequest) -> None:
    low, high = request.window_from, request.window_to
    if low is not None and high is not None and low >= high:
        raise _refused("window_to", "the window ends before it begins", high.isoformat(), f"after {low.isoformat()}")
    if request.full_refresh and (low or high):
        raise _refused("full_refresh", "a full refresh reads everything, so it takes no window", True, "one of both")


def _refused(name: str, message: str, value: object, allowed: str) -> RequestError:
    return RequestError(
        f"parameter {name}: {message}",
        got=repr(value)[:80],
        allowed=allowed,
        remedy="Trigger the DAG again with that parameter corrected; nothing was read or written.",
        facts={"parameter": name},
    )
