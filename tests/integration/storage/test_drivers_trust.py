"""A driver of its own reaches a store whose certificate nobody else signed, and so do its executors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from headwater.adapters.embedded.jars import ensure_jars, jar_cache, jars_for
from headwater.adapters.embedded.java import find_java
from headwater.adapters.spark_applications.exchange import exchange_location
from headwater.adapters.spark_applications.properties import application_properties, lake_secrets
from headwater.adapters.spark_applications.shared_folder import open_shared_folder
from headwater.domain.release import Release
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings

DRIVER = Path(__file__).with_name("trusting_driver.py")


@pytest.fixture
def settings(secured_release: tuple[CatalogSettings, Release], tmp_path: Path) -> Settings:
    catalog, _ = secured_release
    spark = SparkSettings(jars=str(jar_cache()))
    return Settings(home=str(tmp_path), repository="r", run_store=SecretStr("x"), catalog=catalog, spark=spark)


def test_the_exchange_is_reached_by_the_profiles_authority(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = settings.catalog.s3
    assert s3 is not None
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key_id.get_secret_value())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret_access_key.get_secret_value())
    folder = open_shared_folder(exchange_location(settings))
    folder.write("key/claim.json", "{}")
    assert folder.read("key/claim.json") == "{}"


def test_driver_and_executor_read_the_warehouse(settings: Settings, tmp_path: Path) -> None:
    s3 = settings.catalog.s3
    assert s3 is not None
    assert s3.ca_file is not None
    jars = ":".join(str(jar) for jar in ensure_jars(jar_cache(), jars_for(settings.catalog.warehouse)))
    properties = application_properties(settings, "key", "attempt") | lake_secrets(settings)
    properties |= {"spark.driver.extraClassPath": jars, "spark.executor.extraClassPath": jars}
    properties |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
    properties |= {"spark.ui.enabled": "false", "spark.executor.memory": "600m"}
    quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Duser.timezone=UTC"
    properties |= dict.fromkeys(("spark.driver.extraJavaOptions", "spark.executor.extraJavaOptions"), quick)
    properties["spark.sql.codegen.wholeStage"] = "false"
    said = tmp_path / "properties.json"
    said.touch(mode=0o600)
    said.write_text(json.dumps(properties))
    java = {"JAVA_HOME": str(find_java(tmp_path / "java").path), "SPARK_LOCAL_IP": "127.0.0.1"}
    java["SPARK_WORKER_DIR"] = str(tmp_path / "work")
    plain = {name: value for name, value in os.environ.items() if "SPARK" not in name}
    told = subprocess.run(
        [sys.executable, str(DRIVER), str(said), str(tmp_path), s3.ca_file], env=plain | java, cwd=tmp_path,
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert told.stdout.strip() == "3", told.stderr[-3000:]
