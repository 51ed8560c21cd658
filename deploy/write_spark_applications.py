"""Render a stage's SparkApplication as each environment would get it, after a change of the profiles or the rendering.

    uv run python deploy/write_spark_applications.py

They are examples, to be read and held to the schema: stages are made by Airflow's tasks, never applied from here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import yaml

from headwater.adapters.profile import load_settings
from headwater.adapters.spark_applications.arguments import driver_arguments
from headwater.adapters.spark_applications.exchange import Exchange, exchange_location, job_key
from headwater.adapters.spark_kubernetes.manifest import spark_application
from headwater.domain.job import JobKind, JobSpec
from headwater.domain.settings import Settings, SparkSettings

HERE = Path(__file__).parent
STAGES: tuple[JobKind, ...] = ("refine", "validate")


def example_settings(environment: str) -> Settings:
    """The profile of an environment, with the engine kubernetes."""
    base = HERE / "base" / "environment"
    profile = base / "profile.yaml"
    names = {part.partition("}")[0] for part in profile.read_text().split("${")[1:]}
    [given] = [item["data"] for item in yaml.safe_load_all((base / "environment.yaml").read_text()) if "data" in item]
    environ = dict.fromkeys(names, "given-by-a-secret") | given | {"HEADWATER_PROFILE": str(profile)}
    text = (HERE / "spark" / environment / "profile.yaml").read_text()
    block = text.replace("${HEADWATER_JARS}", given["HEADWATER_JARS"])
    return load_settings(environ).model_copy(update={"spark": SparkSettings.model_validate(yaml.safe_load(block))})


def example(environment: str, stage: JobKind) -> str:
    """The manifest of one stage of the source ``flights``."""
    settings = example_settings(environment)
    job = JobSpec(
        kind=stage,
        run_key="installation/flights/scheduled__2026-01-02",
        pipeline="flights",
        attempt="0123456789abcdef0123456789abcdef",
        planned_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    exchange = Exchange.of(exchange_location(settings), job_key(job))
    made = spark_application(settings, job, exchange.key, driver_arguments(settings, exchange, job.attempt))
    return yaml.dump(made, Dumper=_Indented, sort_keys=False, width=100)


class _Indented(yaml.SafeDumper):
    """Every value written out where it is, lists below their keys."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's form
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's form
        super().increase_indent(flow, indentless=False)


if __name__ == "__main__":
    for place in ("dev", "prod"):
        for kind in STAGES:
            (HERE / "spark" / place / f"{kind}.yaml").write_text(example(place, kind))
