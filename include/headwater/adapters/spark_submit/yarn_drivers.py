"""Drivers on YARN: spark-submit starts them, and YARN is asked for what the process here does not tell."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from headwater.adapters.embedded.java import find_java
from headwater.adapters.spark_applications.applications import Application, ApplicationState, Phase
from headwater.adapters.spark_applications.exchange import Exchange
from headwater.adapters.spark_submit.local_drivers import LocalDrivers
from headwater.adapters.spark_submit.resource_manager import ResourceManager, YarnReport, configuration_folder
from headwater.adapters.spark_submit.submitting import yarn_tag
from headwater.domain.job import JobSpec

ASK_SECONDS = 15.0
"""No more often is YARN asked of one driver, unless what is known here changes."""


class Manager(Protocol):
    """What is asked of YARN (``ResourceManager``)."""

    def report(self, tag: str) -> YarnReport | None:
        """The youngest application of this tag, if YARN knows one."""
        ...

    def kill(self, report: YarnReport) -> None:
        """End an application with its containers."""
        ...


@dataclass
class YarnDrivers(LocalDrivers):
    """``Applications`` of YARN. A driver in a container is seen from every worker, and outlives them all.

    :param manager: None means the one that the environment names.
    :param ask_seconds: see ``ASK_SECONDS``.
    """

    manager: Manager | None = None
    ask_seconds: float = ASK_SECONDS
    _begun: set[str] = field(default_factory=set, init=False, repr=False)
    _asked: tuple[float, tuple[str, Phase], YarnReport | None] | None = field(default=None, init=False, repr=False)

    def start(self, job: JobSpec, exchange: Exchange) -> Application:
        """See the port. :raises EngineError: when nothing says where YARN is."""
        self._manager()
        known = {**super().start(job, exchange), "tag": yarn_tag(job.attempt), "attempt": job.attempt}
        self._asked = (time.monotonic(), (known["tag"], "running"), None)  # it takes its time, and is not asked yet
        return {**known, "exchange": exchange.location, "key": exchange.key}

    def look(self, application: Application) -> ApplicationState:
        """See the port. It is ``starting`` until the driver has said that it works: YARN may have no room for it."""
        here = super().look(application)
        has_begun = self._has_begun(application)
        if here.phase == "running" and has_begun:
            return here
        if here.phase != "running" and self.settings.spark.deploy_mode == "client":
            return here  # the process was the driver
        return _seen(here, self._report(application, here.phase), has_begun=has_begun)

    def stop(self, application: Application) -> None:
        """See the port. Ending the process here ends no driver in a container, and nothing that waits in a queue."""
        super().stop(application)
        manager = self._manager()
        report = manager.report(application["tag"])
        if report is not None and not report.has_ended:
            manager.kill(report)

    def _has_begun(self, application: Application) -> bool:
        attempt = application["attempt"]
        if attempt not in self._begun and Exchange.of(application["exchange"], application["key"]).has_begun(attempt):
            self._begun.add(attempt)
        return attempt in self._begun

    def _report(self, application: Application, phase: Phase) -> YarnReport | None:
        """What YARN says, or said not long ago."""
        now, subject = time.monotonic(), (application["tag"], phase)
        if self._asked is None or self._asked[1] != subject or now - self._asked[0] >= self.ask_seconds:
            self._asked = (now, subject, self._manager().report(application["tag"]))
        return self._asked[2]

    def _manager(self) -> Manager:
        if self.manager is None:
            conf = configuration_folder()
            shims = Path(self.settings.home).absolute() / "jobs" / "java"
            self.manager = ResourceManager(find_java(shims, configured=self.settings.spark.java_home).executable, conf)
        return self.manager


def _seen(here: ApplicationState, report: YarnReport | None, *, has_begun: bool) -> ApplicationState:
    """What is known of a driver that has not begun, or whose process is not here."""
    if report is None:
        return here if here.phase != "running" else ApplicationState("starting", "YARN has not begun it")
    facts = {**(here.facts or {}), "yarn_application": report.application_id}
    said = f"YARN says of {report.application_id}: {report.state}. {report.diagnostics}".strip()
    if here.phase == "running":
        return ApplicationState("starting", said, facts)
    if report.has_ended:
        return ApplicationState("ended", f"{here.why} | {said}", facts)
    return ApplicationState("running" if has_begun else "starting", said, facts)
