"""A standalone cluster of this machine, from the pip package: one master, two workers, each a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from headwater.adapters.embedded.jars import pyspark_home
from headwater.adapters.embedded.java import find_java

MASTER = re.compile(r"spark://127\.0\.0\.1:\d+")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A master that serves, and its workers."""

    master: str
    processes: tuple[subprocess.Popen[bytes], ...]

    def executors(self) -> list[psutil.Process]:
        """Executors that live now; they are children of the workers."""
        children = [child for worker in self.processes[1:] for child in psutil.Process(worker.pid).children()]
        return [child for child in children if "CoarseGrainedExecutorBackend" in arguments_of(child)]


def arguments_of(process: psutil.Process) -> str:
    """Its command line; nothing of one that has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


@contextmanager
def standalone_cluster(folder: Path) -> Iterator[Cluster]:
    """Start it on free ports of loopback; stop it by process ids."""
    java = find_java(folder / "java")
    processes: list[subprocess.Popen[bytes]] = []

    def start(name: str, *arguments: str) -> None:
        command = [str(pyspark_home() / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}"]
        command += ["--host", "127.0.0.1", "--webui-port", "0", *arguments]
        quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
        environ = {
            **os.environ,
            "JAVA_HOME": str(java.path),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "256m",
        }
        environ |= {"SPARK_DAEMON_JAVA_OPTS": quick, "SPARK_WORKER_DIR": str(folder / "work")}
        with (folder / f"{len(processes)}.log").open("wb") as log:
            processes.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environ))

    try:
        start("master.Master", "--port", "0")
        master = said(folder / "0.log", MASTER)
        for _ in range(2):
            start("worker.Worker", "--cores", "1", "--memory", "1g", master)
        for number in (1, 2):
            said(folder / f"{number}.log", re.compile("Successfully registered with master"))
        yield Cluster(master, tuple(processes))
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(60)


def said(log: Path, words: re.Pattern[str]) -> str:
    """The first match in a log. :raises AssertionError: when it does not come."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = words.search(log.read_text()) if log.exists() else None
        if found:
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"{log.name} never said {words.pattern}: {log.read_text()[-2000:]}")
