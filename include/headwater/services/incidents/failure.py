"""From an exception to a failure with a cause and facts."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import AwareDatetime

from headwater.domain.base import Value
from headwater.domain.errors import HeadwaterError
from headwater.domain.incident import Failure, IncidentKind

# names, because headwater knows neither Airflow nor its supervisor
_KILLED = frozenset({"AirflowTaskTerminated", "AirflowTaskTimeout", "KeyboardInterrupt", "SystemExit"})


class FailureContext(Value):
    """Where a failure was observed.

    :param dag_id: of the DAG, where it is not the pipeline's own.
    """

    pipeline: str
    run_id: str
    task_id: str
    map_index: int = -1
    try_number: int = 1
    kind: IncidentKind = "failed"
    table: str | None = None
    seen_at: AwareDatetime
    log_url: str | None = None
    run_url: str | None = None
    dag_id: str | None = None


def failure_from_exception(exc: BaseException | None, context: FailureContext) -> Failure:
    """The failure an exception means.

    The explained error nearest to the surface of the chain of causes gives cause and facts. None, or the word of a
    supervisor that ended the process, is ``task_killed``; anything else is ``unknown`` with class and first line.
    """
    explained = next((error for error in _chain(exc) if isinstance(error, HeadwaterError)), None)
    if explained is not None:
        return _explained(explained, context)
    if exc is None or type(exc).__name__ in _KILLED:
        return failure(context, "task_killed", _foreign_message(exc) if exc else "the process was killed", {})
    facts = {"exception": type(exc).__qualname__}
    return failure(context, "unknown", _foreign_message(exc), facts)


def failure(context: FailureContext, cause: str, message: str, facts: dict[str, str]) -> Failure:
    """A failure seen there, with this cause."""
    table = context.table or facts.get("table") or None
    if table is not None and "." not in table:
        # an extractor knows its table by the bare name, and works for bronze
        table = f"bronze.{context.pipeline}.{table}"
    told = facts | {name: value for name, value in {"table": table, "dag_id": context.dag_id}.items() if value}
    return Failure(
        **context.model_dump(exclude={"table", "dag_id"}), table=table, cause=cause, message=message, facts=told
    )


def _explained(error: HeadwaterError, context: FailureContext) -> Failure:
    facts: dict[str, str] = {}
    if error.where is not None:
        facts |= {"file": error.where.file}
        facts |= {"key": error.where.key} if error.where.key else {}
        facts |= {"line": str(error.where.line)} if error.where.line else {}
    facts |= {"got": error.got} if error.got else {}
    facts |= {"allowed": error.allowed} if error.allowed else {}
    message = error.placed
    return failure(context, error.code, message, facts | error.facts)


def _foreign_message(exc: BaseException) -> str:
    first_line = next(iter(str(exc).strip().splitlines()), "")
    return f"{type(exc).__qualname__}: {first_line}" if first_line else type(exc).__qualname__


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        yield exc
        exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
