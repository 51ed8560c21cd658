"""How a job is said to spark-submit: properties in a private file, and arguments that anybody may read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from headwater.adapters.spark_applications.properties import application_properties, lake_secrets
from headwater.domain.job import JobSpec
from headwater.domain.masking import MASKING_PROPERTY
from headwater.domain.settings import Settings


def submit_properties(
    settings: Settings, job: JobSpec, key: str, jars: Sequence[Path], masking: str | None = None
) -> dict[str, str]:
    """Every property of one stage's application. Holds secrets: written only to a file of mode 0600.

    :param key: of the job (``exchange.job_key``).
    :param masking: the masking key as the driver expects it, for a driver that has not this machine's environment.
    """
    spark, size, name = settings.spark, settings.spark.size(job.kind), f"headwater-{key}"
    properties = {
        "spark.master": spark.master,
        "spark.submit.deployMode": spark.deploy_mode,
        "spark.app.name": name,
        "spark.driver.memory": size.driver_memory,
        "spark.driver.cores": str(size.driver_cores),
        "spark.executor.memory": size.executor_memory,
        "spark.executor.cores": str(size.executor_cores),
        "spark.jars": ",".join(jar.as_uri() for jar in jars),
        **_parallel(spark.master, size.executors, size.executor_cores),
        **application_properties(settings, key, job.attempt),
        **lake_secrets(settings),
    }
    if spark.master == "yarn":
        properties |= {"spark.yarn.tags": f"headwater,{name},{yarn_tag(job.attempt)}", "spark.yarn.maxAppAttempts": "1"}
    if spark.deploy_mode == "cluster" and masking is not None:
        # not by the container's environment, which YARN writes beside its logs
        properties[MASKING_PROPERTY] = masking
    return properties | spark.conf


def yarn_tag(attempt: str) -> str:
    """By which YARN finds the application of an attempt: it is known before YARN has given it an id."""
    return f"headwater-{attempt}"


def submit_command(spark_home: Path, properties: Path, entrypoint: Path, arguments: Mapping[str, str]) -> list[str]:
    """The process to start. Nothing in it is a secret (rule 42)."""
    command = [str(spark_home / "bin" / "spark-submit"), "--properties-file", str(properties), str(entrypoint)]
    for name, value in arguments.items():
        command += [f"--{name}", value]
    return command


def _parallel(master: str, executors: int, cores: int) -> dict[str, str]:
    """A standalone master is told all cores, YARN the number of executors."""
    if master.startswith("spark://"):
        return {"spark.cores.max": str(executors * cores)}
    return {"spark.executor.instances": str(executors)} if master == "yarn" else {}
