"""An API server over HTTP that an Airflow connection leads to, and a profile that puts stages there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.integration.kubernetes.api_server import TOKEN, Cluster, api_server

from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.spark_settings import KubernetesSettings


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """An API server, and the Airflow connection that leads to it."""
    with api_server() as made:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": made.url}}],
            "users": [{"name": "u", "user": {"token": TOKEN}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        extra = {"kube_config": json.dumps(config)}
        monkeypatch.setenv("AIRFLOW_CONN_SPARK_CLUSTER", json.dumps({"conn_type": "kubernetes", "extra": extra}))
        yield made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    catalog = CatalogSettings(uri="x", jdbc_uri="y", warehouse=(tmp_path / "warehouse").as_uri())
    place = KubernetesSettings(image="registry/spark:1", connection="spark_cluster")
    spark = SparkSettings(jars="j", mode="kubernetes", kubernetes=place, start_timeout=timedelta(0))
    return Settings(home="h", repository="r", run_store="x", catalog=catalog, spark=spark)
