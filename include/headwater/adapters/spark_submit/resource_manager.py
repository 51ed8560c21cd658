"""YARN's ResourceManager, asked by the program that is in Spark's own jars: no installation of Hadoop is needed."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headwater.adapters.embedded.jars import pyspark_home
from headwater.domain.errors import EngineError

_ID = re.compile(r"application_\d+_\d+")
_LINE = re.compile(r"^\t(State|Final-State|Diagnostics) : ?(.*)$", re.MULTILINE)
_ENDED = {"FINISHED", "FAILED", "KILLED"}
_PATIENCE_SECONDS = 60.0
_TOLD_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class YarnReport:
    """What YARN says of an application. ``state``: ``ACCEPTED``, ``RUNNING``, ``KILLED`` … as YARN has them."""

    application_id: str
    state: str
    diagnostics: str = ""

    @property
    def has_ended(self) -> bool:
        return self.state in _ENDED


def configuration_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Where Hadoop's configuration is, as spark-submit finds it.

    :raises EngineError: when the environment names none: then nobody knows where YARN is.
    """
    environ = os.environ if environ is None else environ
    for name in ("HADOOP_CONF_DIR", "YARN_CONF_DIR"):
        if environ.get(name):
            return Path(environ[name])
    raise EngineError(
        "where YARN is is not known",
        got="neither HADOOP_CONF_DIR nor YARN_CONF_DIR is in the environment",
        remedy="Set HADOOP_CONF_DIR of the tasks to the folder of core-site.xml and yarn-site.xml.",
    )


@dataclass(frozen=True, slots=True)
class ResourceManager:
    """A YARN. Each question starts a Java of about two seconds: ask seldom.

    :param java: the executable.
    :param conf: folder of ``yarn-site.xml``.
    """

    java: Path
    conf: Path

    def report(self, tag: str) -> YarnReport | None:
        """The youngest application of this tag; None when YARN knows none (any more).

        :raises EngineError: when YARN does not answer.
        """
        found = sorted(_ID.findall(self._asked("-list", "-appStates", "ALL", "-appTags", tag)))
        if not found:
            return None
        told = dict(_LINE.findall(self._asked("-status", found[-1])))
        return YarnReport(found[-1], told.get("State", "UNKNOWN"), told.get("Diagnostics", "")[:_TOLD_CHARACTERS])

    def kill(self, report: YarnReport) -> None:
        """End an application with its containers. :raises EngineError: when YARN does not answer."""
        self._asked("-kill", report.application_id)

    def _asked(self, *arguments: str) -> str:
        command = [str(self.java), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m"]
        command += ["-cp", f"{self.conf}:{pyspark_home() / 'jars'}/*"]
        command += ["org.apache.hadoop.yarn.client.cli.ApplicationCLI", "application", *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise _silent(f"no answer within {_PATIENCE_SECONDS:.0f} s") from error
        if done.returncode != 0:
            raise _silent(" | ".join((done.stdout + done.stderr).strip().splitlines()[-3:])[-_TOLD_CHARACTERS:])
        return done.stdout


def _silent(got: str) -> EngineError:
    return EngineError(
        "YARN does not answer",
        got=got,
        remedy="See whether the ResourceManager of HADOOP_CONF_DIR can be reached from the task, as the task's user.",
    )
