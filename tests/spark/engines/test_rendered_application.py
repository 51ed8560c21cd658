"""What a SparkApplication says, done by spark-submit as its driver's pod would: properties, arguments, secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.spark.engines.conftest import QUICK

from headwater.adapters.embedded.jars import ensure_jars, pyspark_home
from headwater.adapters.embedded.java import find_java
from headwater.adapters.spark_applications.arguments import driver_arguments
from headwater.adapters.spark_applications.exchange import Claim, Exchange, exchange_location, job_key
from headwater.adapters.spark_kubernetes.manifest import ENTRYPOINT, spark_application
from headwater.adapters.spark_submit.local_drivers import entrypoint
from headwater.domain.masking import SHORTEST_KEY
from headwater.domain.names import Layer
from headwater.domain.settings import Settings
from headwater.domain.spark_settings import KubernetesSettings
from headwater.domain.spec import ColumnRule

MASKING = "AIRFLOW_CONN_HEADWATER_MASKING"
KEY = "m" * SHORTEST_KEY


def test_the_drivers_pod_does_the_job_with_secrets_of_its_environment_alone(
    lake: Any, settings: Settings, tmp_path: Path
) -> None:
    """Rules 36, 42. The pod's own names are Kubernetes' business; the rest is here as it is there."""
    known = KubernetesSettings(image="i").secret_environment | {MASKING: "headwater-masking/uri"}
    place = KubernetesSettings(image="i", secret_environment=known)
    events = tmp_path / "events"
    events.mkdir()
    conf = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false"}
    conf |= {"spark.local.dir": str(tmp_path / "tmp"), "spark.eventLog.compress": "false", **QUICK}
    spark = settings.spark.model_copy(
        update={
            "mode": "kubernetes",
            "kubernetes": place,
            "conf": conf,
            "event_log": events.as_uri(),
            "exchange": (tmp_path / "jobs").as_uri(),
        }
    )
    profile = settings.model_copy(update={"spark": spark})
    spec = lake.spec("append").model_copy(update={"columns": {"v": ColumnRule(classification="pii", mask="hash")}})
    source = lake.bronze(1, "k bigint, v string, u timestamp", ["1, 'someone', TIMESTAMP '2026-01-05 00:00:00Z'"])
    job = lake.job("refine", 1, refine=(lake.refine_spec(spec, source),))
    exchange = Exchange.of(exchange_location(profile), job_key(job))
    exchange.place(job)
    exchange.write_claim(Claim(attempt=job.attempt, since=job.planned_at))
    made = spark_application(profile, job, exchange.key, driver_arguments(profile, exchange, job.attempt))["spec"]

    values = {
        "HEADWATER_CATALOG_JDBC_URI": settings.catalog.jdbc_uri,
        "HEADWATER_CATALOG_USER": settings.catalog.jdbc_user,
        "HEADWATER_CATALOG_PASSWORD": settings.catalog.jdbc_password.get_secret_value(),
        MASKING: json.dumps({"conn_type": "generic", "password": KEY}),
    }
    secrets = {variable["name"]: values[variable["name"]] for variable in made["driver"]["env"]}
    command = [str(pyspark_home() / "bin" / "spark-submit"), "--master", "local[2]"]
    jars = ":".join(str(jar) for jar in ensure_jars(Path(settings.spark.jars)))  # the image has them among Spark's own
    for name, value in {**made["sparkConf"], "spark.driver.extraClassPath": jars}.items():
        command += ["--conf", f"{name}={value}"]
    assert made["mainApplicationFile"] == ENTRYPOINT
    command += [entrypoint().as_uri().replace("file:", "local:"), *made["arguments"]]
    java = {"JAVA_HOME": str(find_java(tmp_path / "java").path), "PYSPARK_PYTHON": sys.executable}
    plain = {name: value for name, value in os.environ.items() if "SPARK" not in name}
    done = subprocess.run(command, env={**plain, **java, **secrets}, capture_output=True, text=True, check=False)

    answer = exchange.result(job.attempt)
    assert answer is not None, done.stdout[-3000:] + done.stderr[-3000:]
    assert answer.tables[0].status == "staged", answer.tables[0].error
    lake.publish(answer.tables[0].staged)
    masked = lake.rows(lake.name(Layer.SILVER))[0].v
    assert masked.startswith("1:")
    logs = "".join(path.read_text() for path in events.rglob("*") if path.is_file())
    assert "SparkListenerApplicationEnd" in logs
    hidden = [values["HEADWATER_CATALOG_PASSWORD"], KEY]
    assert [secret for secret in hidden if secret in done.stdout + done.stderr + logs + " ".join(command)] == []
