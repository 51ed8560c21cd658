"""Each Spark stage as an application of its own: what ``spark_stages.py`` compares the shared server with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from january_in_bronze import RecordingPlatform

from headwater.adapters.embedded.jars import ensure_jars, pyspark_home
from headwater.adapters.embedded.java import find_java
from headwater.adapters.spark_connect.server_config import (
    SHORT_JOBS_JVM,
    render_properties,
    server_properties,
    write_private,
)
from headwater.domain.job import JobResult, JobSpec

SUBMITTED = Path(__file__).with_name("submitted_stage.py")


class SubmittedStages:
    """Every job as a Spark application of its own.

    :param own_jvm: with the flags the product gives its server; else those Spark has by itself.
    """

    def __init__(self, platform: RecordingPlatform, folder: Path, *, own_jvm: bool) -> None:
        self.folder = folder
        settings = platform.settings
        (folder / "tmp").mkdir(parents=True, exist_ok=True)
        properties = server_properties(settings, 0, "", folder, ensure_jars(Path(settings.spark.jars)))
        properties = {
            name: value.replace(f"{SHORT_JOBS_JVM} ", "") if not own_jvm else value
            for name, value in properties.items()
            if not name.startswith(("spark.connect", "spark.scheduler.allocation"))
        }
        write_private(folder / "submit.properties", render_properties(properties))
        java = find_java(folder / "java", configured=settings.spark.java_home)
        self.environment = {
            **os.environ,
            "JAVA_HOME": str(java.path),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_PYTHON": sys.executable,
            "SODA_CORE_TELEMETRY_ENABLED": "false",
        }

    def run(self, job: JobSpec) -> JobResult:
        place = self.folder / job.attempt
        place.mkdir()
        (place / "job.json").write_text(job.model_dump_json(by_alias=True))
        command = [str(pyspark_home() / "bin" / "spark-submit"), "--properties-file"]
        command += [str(self.folder / "submit.properties"), str(SUBMITTED)]
        command += ["--job", str(place / "job.json"), "--result", str(place / "result.json")]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"spark-submit of {job.kind} failed:\n{done.stderr[-3000:]}")
        return JobResult.model_validate_json((place / "result.json").read_text())
