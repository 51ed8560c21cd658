"""A YARN of this machine, from Hadoop's jars: a ResourceManager and a NodeManager, each a process of its own."""

from __future__ import annotations

import os
import random
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from tests.spark.engines.standalone_cluster import said

from headwater.adapters.embedded.jars import ensure_jars, jar_cache, locked_jars, pyspark_home
from headwater.adapters.embedded.java import find_java

LOCK = Path(__file__).with_name("yarn_jars.lock")
_SHARED = ("hadoop-client-api", "hadoop-client-runtime", "slf4j-api", "log4j-", "jcl-over-slf4j", "snappy-java")
"""What Hadoop has in common with Spark is taken from pyspark, whose version it must be."""
_QUICK = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "--add-opens=java.base/java.lang=ALL-UNNAMED")
_LOG = """rootLogger.level = info
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n
"""


@dataclass(frozen=True, slots=True)
class Yarn:
    """A YARN that serves. ``conf``: its HADOOP_CONF_DIR; ``containers``: where containers and their logs are."""

    conf: Path
    java: Path
    folder: Path

    def logs(self) -> str:
        """What ResourceManager, NodeManager and all containers have said."""
        files = [*self.folder.glob("*.log"), *(self.folder / "container-logs").rglob("*")]
        return "".join(path.read_text(errors="replace") for path in files if path.is_file())

    def told(self, *arguments: str) -> str:
        """What ``yarn application …`` answers."""
        classes = f"{self.conf}:{pyspark_home() / 'jars'}/*"
        command = [str(self.java), *_QUICK, "-cp", classes, "org.apache.hadoop.yarn.client.cli.ApplicationCLI"]
        return subprocess.run(
            [*command, "application", *arguments], capture_output=True, text=True, check=True, timeout=60
        ).stdout


@contextmanager
def yarn_cluster(folder: Path, memory_megabytes: int) -> Iterator[Yarn]:
    """Start it on free ports of loopback; stop it by process ids.

    :param memory_megabytes: of all containers.
    """
    java, conf = find_java(folder / "java"), folder / "conf"
    classes = f"{conf}:{':'.join(str(jar) for jar in _jars())}"
    _configure(conf, folder, memory_megabytes)
    processes: list[subprocess.Popen[bytes]] = []

    def start(name: str) -> None:
        command = [str(java.executable), *_QUICK, "-cp", classes, f"org.apache.hadoop.yarn.server.{name}"]
        environ = {**os.environ, "JAVA_HOME": str(java.path), "HADOOP_CONF_DIR": str(conf)}
        with (folder / f"{len(processes)}.log").open("wb") as log:
            processes.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environ, cwd=folder))

    try:
        start("resourcemanager.ResourceManager")
        start("nodemanager.NodeManager")
        said(folder / "0.log", re.compile("registered with capability"))
        yield Yarn(conf, java.executable, folder)
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:  # a NodeManager that never met its ResourceManager
                process.kill()
                process.wait(20)


def _ports(count: int) -> list[int]:
    """Free now, and none that the system gives to others while Java starts."""
    found: set[int] = set()
    while len(found) < count:
        port = random.randint(20_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                found.add(port)
    return sorted(found)


def _jars() -> list[Path]:
    common = [jar for jar in sorted((pyspark_home() / "jars").glob("*.jar")) if jar.name.startswith(_SHARED)]
    return [*ensure_jars(jar_cache() / "yarn", locked_jars(LOCK)), *common]


def _configure(conf: Path, folder: Path, memory_megabytes: int) -> None:
    conf.mkdir()
    (conf / "log4j2.properties").write_text(_LOG)
    _write(conf / "core-site.xml", {"fs.defaultFS": "file:///", "hadoop.tmp.dir": str(folder / "tmp")})
    manager, node = "yarn.resourcemanager", "yarn.nodemanager"
    places = ("address", "scheduler.address", "resource-tracker.address", "admin.address", "webapp.address")
    _write(
        conf / "yarn-site.xml",
        {
            f"{manager}.hostname": "127.0.0.1",
            **{
                f"{manager}.{place}": f"127.0.0.1:{port}"
                for place, port in zip(places, _ports(len(places)), strict=True)
            },
            f"{node}.hostname": "127.0.0.1",
            **{f"{node}.{place}": "127.0.0.1:0" for place in ("address", "localizer.address", "webapp.address")},
            f"{node}.local-dirs": str(folder / "containers"),
            f"{node}.log-dirs": str(folder / "container-logs"),
            f"{node}.delete.debug-delay-sec": "3600",  # what a container was given can be looked at
            # a disk filled to 90 % would stop the tests; a node that does not look again still looks once
            f"{node}.disk-health-checker.max-disk-utilization-per-disk-percentage": "100.0",
            f"{node}.vmem-check-enabled": "false",
            f"{node}.resource.memory-mb": str(memory_megabytes),
            f"{node}.resource.cpu-vcores": "8",
            "yarn.scheduler.minimum-allocation-mb": "128",
        },
    )
    _write(
        conf / "capacity-scheduler.xml",
        {
            "yarn.scheduler.capacity.root.queues": "default",
            "yarn.scheduler.capacity.root.default.capacity": "100",
            "yarn.scheduler.capacity.maximum-am-resource-percent": "1.0",
        },
    )


def _write(path: Path, properties: Mapping[str, str]) -> None:
    lines = [
        f"<property><name>{name}</name><value>{escape(value)}</value></property>" for name, value in properties.items()
    ]
    path.write_text("<configuration>\n" + "\n".join(lines) + "\n</configuration>\n")
