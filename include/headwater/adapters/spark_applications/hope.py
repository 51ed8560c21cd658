"""Whether an answer can still be hoped for, and what is said when it cannot."""

from __future__ import annotations

from headwater.adapters.spark_applications.applications import ApplicationState
from headwater.domain.errors import EngineError
from headwater.domain.settings import SparkSettings


def assert_hope(state: ApplicationState, waited_seconds: float, limits: SparkSettings) -> None:
    """:raises EngineError: when there is no answer, and none will come in time."""
    if state.phase in {"ended", "gone"}:
        raise without_answer(state)
    if state.phase == "starting" and waited_seconds > limits.start_timeout.total_seconds():
        raise _not_started(state, waited_seconds)
    if waited_seconds > limits.job_timeout.total_seconds():
        raise _overdue(waited_seconds)


def without_answer(state: ApplicationState) -> EngineError:
    facts = dict(state.facts or {})
    return EngineError(
        "the Spark driver ended without an answer" if state.phase == "ended" else "the Spark driver is lost",
        got=state.why[-600:] or None,
        remedy="Run again: a new driver is started. If it repeats, read its log and raise its memory in `spark.sizes`.",
        facts=facts,
    )


def _not_started(state: ApplicationState, waited: float) -> EngineError:
    return EngineError(
        f"the Spark application did not start within {waited:.0f} s",
        got=state.why[-600:] or None,
        remedy="See whether the cluster has room for its driver and may pull its image (`spark.start_timeout`).",
        facts=dict(state.facts or {}),
    )


def _overdue(waited: float) -> EngineError:
    return EngineError(
        f"the Spark application was stopped after {waited:.0f} s",
        remedy="Give the stage more in `spark.sizes`, or more time by `spark.job_timeout`.",
    )
