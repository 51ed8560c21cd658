"""One stage, or a whole chain, as a process of its own: ``stage.py <profile> <pipeline> <run id> <stage>``.

Fault tests arm ``HEADWATER_FAILPOINT`` and look at what is left when the process dies. In one process with a test, the
same functions drive a run without a scheduler.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from headwater.adapters.platform import LocalPlatform, open_platform
from headwater.adapters.profile import load_settings
from headwater.domain.errors import HeadwaterError
from headwater.domain.names import Layer
from headwater.domain.run import RunKey, RunRequest
from headwater.domain.spec import SourceSpec
from headwater.services.context import RunContext, spec_as_planned
from headwater.services.report import StageReport
from headwater.services.stages import (
    building,
    closing,
    extraction,
    lineage,
    planning,
    preflight,
    publishing,
    refinement,
    validation,
)

Work = Callable[[], StageReport | None]


def context(platform: LocalPlatform, pipeline: str, run_id: str) -> RunContext:
    """The run a stage works for, as Airflow's operators make it."""
    key = RunKey(installation=platform.runs.installation(), dag_id=pipeline, run_id=run_id)
    return RunContext(spec=platform.model.load(pipeline), run_key=key, holder=f"{pipeline} / {run_id}")


def stages(platform: LocalPlatform, run: RunContext, request: RunRequest | None = None) -> dict[str, Work]:
    """Stage id -> the stage, in the order of the chain; an expanded stage is one entry per table."""

    def plan() -> None:
        planning.run(platform, run, request or RunRequest())

    def planned() -> RunContext:
        """Stages after the plan work by the spec stored with it, whatever the files say by then (rule 4)."""
        return run.model_copy(update={"spec": spec_as_planned(platform, run.run_key, run.spec.file) or run.spec})

    chain: dict[str, Work] = {"preflight": lambda: preflight.run(platform, run), "plan_run": plan}
    if isinstance(run.spec, SourceSpec):
        for table in run.spec.tables:
            chain[f"extract_to_bronze:{table.name}"] = partial(_extract, platform, planned, table.name)
        chain["validate_bronze"] = lambda: validation.run(platform, planned(), Layer.BRONZE)
        chain["publish_bronze"] = lambda: publishing.publish_bronze(platform, planned())
        chain["refine_to_silver"] = lambda: refinement.run(platform, planned())
        chain["validate_silver"] = lambda: validation.run(platform, planned(), Layer.SILVER)
    if run.spec.gold:
        chain["build_gold"] = lambda: building.run(platform, planned())
        chain["validate_gold"] = lambda: validation.run(platform, planned(), Layer.GOLD)
    chain["publish"] = lambda: publishing.publish(platform, planned())
    chain["emit_lineage"] = lambda: lineage.run(platform, planned(), ())
    return chain


def _extract(platform: LocalPlatform, planned: Callable[[], RunContext], table: str) -> StageReport:
    return extraction.run(platform, planned(), table)


def run_chain(platform: LocalPlatform, pipeline: str, run_id: str, request: RunRequest | None = None) -> dict[str, str]:
    """Drive a run as the scheduler would: extraction of one table never stops another; the rest stops at red.

    :returns: stage id -> ``success``, ``upstream_failed`` or the error code; ``close_run`` included.
    """
    run = context(platform, pipeline, run_id)
    states: dict[str, str] = {}
    for stage, work in stages(platform, run, request).items():
        blocking = [s for s, state in states.items() if state != "success" and not s.startswith("extract_to_bronze")]
        extracts = [state for s, state in states.items() if s.startswith("extract_to_bronze")]
        nothing_extracted = bool(extracts) and "success" not in extracts and not stage.startswith("extract")
        states[stage] = "upstream_failed" if blocking or nothing_extracted else _attempt(stage, work)
    closed = {stage: state if state in {"success", "upstream_failed"} else "failed" for stage, state in states.items()}
    states["close_run"] = _attempt("close_run", lambda: closing.run(platform, run, closed))
    return states


def _attempt(stage: str, work: Work) -> str:
    try:
        report = work()
    except HeadwaterError as error:
        sys.stderr.write(f"{stage}: {error}\n")
        return error.code
    for line in report.lines() if report else ():
        sys.stderr.write(f"{stage}: {line}\n")
    return "success"


def main(profile: str, pipeline: str, run_id: str, stage: str) -> int:
    """Run one stage, ``chain`` or ``close_run`` with the profile's platform.

    The run's parameters are JSON in ``CHAIN_REQUEST``.
    """
    settings = load_settings({**os.environ, "HEADWATER_PROFILE": profile})
    platform = open_platform(settings, repository=Path(settings.repository))
    asked = os.environ.get("CHAIN_REQUEST")
    request = RunRequest.model_validate_json(asked) if asked else None
    if stage == "chain":
        states = run_chain(platform, pipeline, run_id, request)
        return 0 if set(states.values()) == {"success"} else 1
    report = stages(platform, context(platform, pipeline, run_id), request)[stage]()
    sys.stderr.write("\n".join(report.lines()) if report else "")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
