"""SparkApplications through the Kubernetes provider: made, followed and deleted by their names (ADR 22)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from headwater.adapters.spark_applications.applications import Application, ApplicationState, Phase
from headwater.adapters.spark_applications.arguments import driver_arguments
from headwater.adapters.spark_applications.exchange import Exchange
from headwater.adapters.spark_kubernetes.manifest import GROUP, PLURAL, VERSION, spark_application
from headwater.domain.errors import EngineError
from headwater.domain.job import JobSpec
from headwater.domain.settings import Settings
from headwater_airflow.hooks.kubernetes_answers import PodSaid, pod_said, refusal

if TYPE_CHECKING:
    from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook

REQUEST_SECONDS = 30
LOG_SECONDS = 10.0
DRIVER_CONTAINER = "spark-kubernetes-driver"
_PHASES: dict[str, Phase] = {
    "": "starting",
    "NEW": "starting",
    "SUBMITTED": "starting",
    "PENDING_RERUN": "starting",
    "COMPLETED": "ended",
    "FAILED": "ended",
    "SUBMISSION_FAILED": "ended",
}
"""What the operator says of an application; anything else means that its driver is at work, or was just now."""


@dataclass
class KubernetesApplications:
    """``Applications`` of the Spark operator. The operator works; this only asks the API server."""

    settings: Settings
    starts_once: ClassVar[bool] = True
    _said: dict[str, int] = field(default_factory=dict, init=False, repr=False)
    _read_at: float = field(default=float("-inf"), init=False, repr=False)

    @cached_property
    def hook(self) -> KubernetesHook:
        """The provider's client: by the connection of the profile, else by the pod's own account."""
        from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook

        place = self.settings.spark.kubernetes
        return KubernetesHook(conn_id=place.connection if place is not None else None)

    def start(self, job: JobSpec, exchange: Exchange) -> Application:
        """See the port. One that is there by that name is of this attempt: it is taken as started."""
        arguments = driver_arguments(self.settings, exchange, job.attempt)
        manifest = spark_application(self.settings, job, exchange.key, arguments)
        made = manifest["metadata"]
        application = {"namespace": made["namespace"], "name": made["name"]}
        create = self.hook.custom_object_client.create_namespaced_custom_object
        self._asked(create, GROUP, VERSION, made["namespace"], PLURAL, manifest, fine=(409,))
        return application

    def look(self, application: Application) -> ApplicationState:
        """See the port."""
        get = self.hook.custom_object_client.get_namespaced_custom_object
        place = (GROUP, VERSION, application["namespace"], PLURAL, application["name"])
        found = self._asked(get, *place, fine=(404,))
        if found is None:
            return ApplicationState("gone", "there is no such SparkApplication any more")
        status = found.get("status") or {}
        state = (status.get("applicationState") or {}).get("state") or ""
        phase = _PHASES.get(state, "running")
        why = (status.get("applicationState") or {}).get("errorMessage") or ""
        facts = {"application": application["name"], "namespace": application["namespace"], "state": state}
        if phase == "running":
            return ApplicationState(phase, facts=facts)
        pod = self._pod(application)
        return ApplicationState(phase, " | ".join(filter(None, (state, why, pod.why))), {**facts, **pod.facts})

    def told(self, application: Application) -> Sequence[str]:
        """See the port: the log of the driver's pod, asked for now and then."""
        if time.monotonic() - self._read_at < LOG_SECONDS:
            return ()
        self._read_at = time.monotonic()
        return self._new_lines(application)

    def let_end(self, application: Application) -> Sequence[str]:
        """See the port: it ends by itself, and the operator removes it after ``keep_for``."""
        return self._new_lines(application)

    def stop(self, application: Application) -> None:
        """See the port. One that ended stays to be looked at."""
        if self.look(application).phase in {"ended", "gone"}:
            return
        delete = self.hook.custom_object_client.delete_namespaced_custom_object
        place = (GROUP, VERSION, application["namespace"], PLURAL, application["name"])
        self._asked(delete, *place, fine=(404,))

    def _new_lines(self, application: Application) -> Sequence[str]:
        read = self.hook.core_v1_client.read_namespaced_pod_log
        pod = f"{application['name']}-driver"
        # 400: its container has not started
        # read by ourselves: the client makes text of bytes by their representation
        named = {"container": DRIVER_CONTAINER, "_preload_content": False}
        answer = self._asked(read, pod, application["namespace"], fine=(404, 400), **named)
        lines = [] if answer is None else answer.data.decode(errors="replace").splitlines()
        known = self._said.get(application["name"], 0)
        self._said[application["name"]] = max(known, len(lines))
        return lines[known:]

    def _pod(self, application: Application) -> PodSaid:
        """What the driver's pod says of itself."""
        read = self.hook.core_v1_client.read_namespaced_pod
        pod = self._asked(read, f"{application['name']}-driver", application["namespace"], fine=(404,))
        return PodSaid() if pod is None else pod_said(pod.to_dict())

    def _asked(self, call: Callable[..., Any], *arguments: Any, fine: tuple[int, ...] = (), **named: Any) -> Any:
        """Ask the API server; an answer of a ``fine`` status is None.

        :raises EngineError: when it does not answer, or cannot do it now.
        :raises EngineRefusedError: when it will not do it, however often it is asked.
        """
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        try:
            return call(*arguments, **named, _request_timeout=REQUEST_SECONDS)
        except ApiException as error:
            if error.status in fine:
                return None
            raise refusal(error.status, error.body) from error
        except HTTPError as error:
            raise EngineError(
                "the API server of Kubernetes does not answer",
                got=str(error)[:300],
                remedy="See whether the worker reaches it (network policy, connection); then run again.",
            ) from error
