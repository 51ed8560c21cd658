"""What Kubernetes answers, in our words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headwater.domain.engine_errors import EngineRefusedError
from headwater.domain.errors import EngineError


@dataclass(frozen=True, slots=True)
class PodSaid:
    """Why a driver's pod waits or ended; empty of one that is well, or gone.

    :param facts: what the runbook's steps are filled with.
    """

    why: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


def pod_said(pod: Mapping[str, Any]) -> PodSaid:
    """Read a pod as the client gives it."""
    status = pod.get("status") or {}
    for container in status.get("container_statuses") or ():
        state = container.get("state") or {}
        waiting, ended = state.get("waiting"), state.get("terminated")
        if waiting:
            return PodSaid(_text(waiting), {"reason": waiting.get("reason") or ""})
        if ended:
            exit_status = {"exit_status": str(ended["exit_code"]), "reason": ended.get("reason") or ""}
            return PodSaid(_text(ended), exit_status)
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return PodSaid(_text(condition), {"reason": condition.get("reason") or ""})
    return PodSaid()


def refusal(status: int, body: str | bytes | None) -> EngineError:
    """The error of an answer that is no success: some of them no retry mends."""
    message = _message(body)
    if status in {401, 403} and "exceeded quota" not in message:
        return EngineRefusedError(
            "Kubernetes does not let the task do this",
            got=f"{status}: {message}",
            remedy="Apply deploy/base/platform/rights.yaml, and see `kubectl auth can-i` for the account.",
            facts={"status": str(status)},
        )
    if status in {400, 404, 422}:
        return EngineRefusedError(
            "Kubernetes does not take the SparkApplication",
            got=f"{status}: {message}",
            remedy="Install the Spark operator of helm-values/charts.yaml, or correct `spark` in the profile.",
            facts={"status": str(status)},
        )
    return EngineError(
        "Kubernetes cannot do this now",
        got=f"{status}: {message}",
        remedy="Run again; where a quota is used up, raise it or give the stage less in `spark.sizes`.",
        facts={"status": str(status)},
    )


def _text(part: Mapping[str, Any]) -> str:
    return ": ".join(filter(None, (part.get("reason"), part.get("message"))))[:300]


def _message(body: str | bytes | None) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
    try:
        said = json.loads(text)
    except json.JSONDecodeError:
        return text[:300]
    return str(said.get("message", ""))[:300] if isinstance(said, dict) else text[:300]
