"""SparkApplications: what the operator's schema allows, of the stage's size, without any secret, named by attempt."""

from __future__ import annotations

import copy
import importlib
import importlib.metadata
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from headwater.adapters.spark_applications.arguments import driver_arguments
from headwater.adapters.spark_applications.exchange import Exchange, job_key
from headwater.adapters.spark_kubernetes.manifest import SPARK_VERSION, application_name, spark_application
from headwater.domain.errors import SpecError
from headwater.domain.job import JobKind, JobSpec, RefineTable
from headwater.domain.names import Layer, TableName
from headwater.domain.run import InputRef
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.spark_settings import KubernetesSettings, SharedVolume, StageSize
from headwater.domain.spec import ColumnRule, Silver, SqlExtract, TableSpec
from headwater.domain.staging import TableState, new_attempt

ROOT = Path(__file__).resolve().parents[4]
SCHEMA = json.loads(
    (ROOT / "deploy" / "schemas" / "sparkoperator.k8s.io" / "sparkapplication_v1beta2.json").read_text()
)
PLACE = KubernetesSettings(image="r/spark:1", volumes=(SharedVolume(claim="warehouse", path="/warehouse"),))
SPARK = SparkSettings(
    mode="kubernetes",
    jars="/jars",
    kubernetes=PLACE,
    event_log="file:///events",
    conf={"spark.sql.shuffle.partitions": "9"},
    sizes={"default": StageSize(executors=3), "refine": StageSize(driver_memory="5g", executors=7, executor_cores=4)},
)
CATALOG = CatalogSettings(
    uri="postgresql+psycopg://u:s3cret@h/lake",
    jdbc_uri="jdbc:postgresql://h/lake?password=s3cret",
    jdbc_user="lake",
    jdbc_password="s3cret",
    warehouse="file:///warehouse",
)
SETTINGS = Settings(home="h", repository="r", run_store="s3cret", catalog=CATALOG, spark=SPARK)


def job(kind: JobKind = "refine", pipeline: str = "flights", mask: bool = False) -> JobSpec:
    rules = {"mail": ColumnRule(classification="pii", mask="hash")} if mask else {}
    spec = TableSpec(name="t", key=("k",), extract=SqlExtract(), silver=Silver(mode="upsert"), columns=rules)
    table = RefineTable(
        spec=spec,
        bronze=TableName(layer=Layer.BRONZE, source="s", table="t"),
        silver=TableName(layer=Layer.SILVER, source="s", table="t"),
        bronze_input=InputRef(snapshot_id=1, batch=1),
        from_batch=0,
        base=None,
        state=TableState(run_key="i/s/r", spec_hash="h"),
    )
    return JobSpec(
        kind=kind,
        run_key="i/s/r",
        pipeline=pipeline,
        attempt=new_attempt(),
        planned_at=datetime(2026, 1, 1, tzinfo=UTC),
        refine=(table,) if kind == "refine" else (),
    )


def rendered(asked: JobSpec, settings: Settings = SETTINGS) -> dict[str, Any]:
    exchange = Exchange.of("file:///warehouse/jobs", job_key(asked))
    return spark_application(settings, asked, exchange.key, driver_arguments(settings, exchange, asked.attempt))


def placed(**changes: Any) -> Settings:
    place = PLACE.model_copy(update=changes)
    return SETTINGS.model_copy(update={"spark": SPARK.model_copy(update={"kubernetes": place})})


def test_it_is_what_the_operators_schema_allows() -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(rendered(job()))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("spec", "mistyped"), "x"),
        (("spec", "driver", "instances"), 2),
        (("spec", "type"), "Perl"),
        (("spec", "mode"), "clustered"),
        (("spec", "restartPolicy", "type"), "Sometimes"),
        (("spec", "timeToLiveSeconds"), "60"),
        (("spec", "driver", "securityContext", "privilged"), False),
    ],
)
def test_the_schema_refuses_unknown_keys_wrong_types_and_unknown_words(place: tuple[str, ...], value: Any) -> None:
    wrong = copy.deepcopy(rendered(job()))
    inner = wrong
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(wrong)


def test_each_stage_has_its_own_size_and_the_others_the_default() -> None:
    refine, gate = rendered(job())["spec"], rendered(job("validate"))["spec"]
    assert (refine["driver"]["memory"], refine["executor"]["instances"], refine["executor"]["cores"]) == ("5g", 7, 4)
    assert gate["executor"]["instances"] == 3


def test_no_secret_is_in_it() -> None:
    """Rule 42: references only, also where a URL may hold a password."""
    made = rendered(job())
    assert "s3cret" not in json.dumps(made)
    given = {variable["name"]: variable["valueFrom"]["secretKeyRef"] for variable in made["spec"]["driver"]["env"]}
    assert given["HEADWATER_CATALOG_PASSWORD"] == {"name": "headwater-stores", "key": "HEADWATER_CATALOG_PASSWORD"}
    assert made["spec"]["executor"]["env"] == []


def test_no_pod_is_privileged_and_executors_mount_what_drivers_do() -> None:
    spec = rendered(job())["spec"]
    for pod in (spec["driver"], spec["executor"]):
        assert pod["podSecurityContext"]["runAsNonRoot"]
        assert pod["podSecurityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        assert pod["volumeMounts"] == [{"name": "warehouse", "mountPath": "/warehouse"}]


def test_the_operator_starts_no_try_of_its_own() -> None:
    """Rule 2: an attempt is used once."""
    assert rendered(job())["spec"]["restartPolicy"] == {"type": "Never"}


def test_properties_of_the_profile_win_and_the_event_log_is_written() -> None:
    conf = rendered(job())["spec"]["sparkConf"]
    assert conf["spark.sql.shuffle.partitions"] == "9"
    assert conf["spark.eventLog.dir"] == "file:///events"


@pytest.mark.parametrize("pipeline", ["s", "a_very_long_name_of_a_source_that_goes_on", "ends_with_underscore_"])
def test_names_and_labels_are_kubernetes_own(pipeline: str) -> None:
    asked = job(pipeline=pipeline)
    made = rendered(asked)
    name = made["metadata"]["name"]
    assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", name)
    assert len(name) <= 47  # Spark refuses longer prefixes of executors' pods
    for value in made["metadata"]["labels"].values():
        assert re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,61})?[A-Za-z0-9]", value)
    assert {**made["spec"]["driver"]["labels"], "app_type": "refine"} == made["metadata"]["labels"]


def test_an_attempts_name_is_its_own_and_stays() -> None:
    first, second = job(), job()
    assert application_name(first, job_key(first)) == application_name(first, job_key(first))
    assert application_name(first, job_key(first)) != application_name(second, job_key(second))


def test_a_job_that_masks_needs_a_secret_with_the_key() -> None:
    with pytest.raises(SpecError, match="masking key") as raised:
        rendered(job(mask=True))
    assert "AIRFLOW_CONN_HEADWATER_MASKING" in (raised.value.allowed or "")
    known = PLACE.secret_environment | {"AIRFLOW_CONN_HEADWATER_MASKING": "masking/uri"}
    rendered(job(mask=True), placed(secret_environment=known))


def test_it_names_the_spark_that_is_installed() -> None:
    assert importlib.metadata.version("pyspark") == SPARK_VERSION


def test_the_image_has_the_drivers_program_where_the_manifest_says() -> None:
    assert "/opt/spark-jobs" in (ROOT / "Dockerfile").read_text()
    assert (ROOT / "spark_jobs" / "headwater_spark" / "entrypoints" / "run_application.py").exists()


@pytest.mark.parametrize(
    ("resource", "verbs"),
    [("sparkapplications", {"create", "get", "delete"}), ("pods", {"get"}), ("pods/log", {"get"})],
)
def test_the_workers_account_may_do_what_the_engine_asks(resource: str, verbs: set[str]) -> None:
    documents = yaml.safe_load_all((ROOT / "deploy" / "base" / "platform" / "rights.yaml").read_text())
    role = next(part for part in documents if (part["kind"], part["metadata"]["name"]) == ("Role", "headwater-worker"))
    assert role["metadata"]["namespace"] == PLACE.namespace
    given = {verb for rule in role["rules"] if resource in rule["resources"] for verb in rule["verbs"]}
    assert verbs <= given


class TestCommittedFiles:
    @pytest.fixture(autouse=True)
    def _deploy_is_importable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "path", [str(ROOT / "deploy"), *sys.path])

    def test_the_schema_is_made_of_the_operators_models(self) -> None:
        assert importlib.import_module("write_spark_schema").spark_application_schema() == SCHEMA

    @pytest.mark.parametrize("environment", ["dev", "prod"])
    @pytest.mark.parametrize("stage", ["refine", "validate"])
    def test_the_examples_are_rendered_of_their_profiles(self, environment: str, stage: JobKind) -> None:
        example = importlib.import_module("write_spark_applications").example
        text = (ROOT / "deploy" / "spark" / environment / f"{stage}.yaml").read_text()
        assert text == example(environment, stage), "uv run python deploy/write_spark_applications.py"
        jsonschema.Draft202012Validator(SCHEMA).validate(yaml.safe_load(text))
