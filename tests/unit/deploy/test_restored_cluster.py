"""A restored Postgres is the lost one under another name, and never writes into the archive it comes from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "deploy" / "restored_cluster.py"


@pytest.fixture
def cluster() -> dict[str, Any]:
    """What the chart makes of our values, as far as a restore looks at it."""
    values = [yaml.safe_load((ROOT / f"helm-values/{part}/postgres.yaml").read_text()) for part in ("common", "prod")]
    plugins = [{**plugin, "parameters": {"barmanObjectName": "store"}} for plugin in values[1]["cluster"]["plugins"]]
    spec = {
        "instances": 3, "imageName": values[0]["cluster"]["imageName"], "plugins": plugins,
        "certificates": values[0]["cluster"]["certificates"],
        "bootstrap": {"initdb": {"database": "app"}},
    }  # fmt: skip
    place = {"name": "headwater-postgres", "namespace": "headwater-data", "uid": "u", "resourceVersion": "7"}
    kind = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster"}
    return {**kind, "metadata": place, "spec": spec, "status": {"phase": "lost"}}


def made(cluster: dict[str, Any], *options: str) -> subprocess.CompletedProcess[str]:
    """By Python alone, as on a machine that has nothing else."""
    command = [sys.executable, "-I", str(SCRIPT), *options]
    return subprocess.run(command, input=json.dumps(cluster), capture_output=True, text=True, check=False)


def test_it_begins_at_the_instant_in_the_archive_of_the_lost_one(cluster: dict[str, Any]) -> None:
    found = json.loads(made(cluster, "--at", "2026-01-31 12:00:00+00").stdout)
    assert found["metadata"] == {"name": "headwater-postgres-restored", "namespace": "headwater-data"}
    assert "status" not in found
    recovery = {"source": "lost", "recoveryTarget": {"targetTime": "2026-01-31 12:00:00+00"}}
    assert found["spec"]["bootstrap"] == {"recovery": recovery}
    (lost,) = found["spec"]["externalClusters"]
    assert lost["plugin"]["parameters"] == {"barmanObjectName": "store", "serverName": "headwater-postgres"}
    kept = {name: value for name, value in found["spec"].items() if name not in {"bootstrap", "externalClusters"}}
    assert kept == {name: value for name, value in cluster["spec"].items() if name != "bootstrap"}


def test_a_restore_of_a_restore_reads_where_that_one_wrote(cluster: dict[str, Any]) -> None:
    """Each archives under its own name: what was archived before is never written over."""
    cluster["spec"]["plugins"][0]["parameters"]["serverName"] = "second"
    found = json.loads(made(cluster, "--name", "third").stdout)["spec"]
    assert found["externalClusters"][0]["plugin"]["parameters"]["serverName"] == "second"
    assert "serverName" not in found["plugins"][0]["parameters"]
    assert found["bootstrap"] == {"recovery": {"source": "lost"}}


def test_it_archives_by_a_store_of_the_name_that_the_chart_will_give_it(cluster: dict[str, Any]) -> None:
    """An instance knows the authorities of the stores it started with: a store that comes later stops its archive."""
    place = {"name": "store", "namespace": "headwater-data", "uid": "u", "annotations": {"helm.sh/hook": "pre-install"}}
    kind = {"apiVersion": "barmancloud.cnpg.io/v1", "kind": "ObjectStore"}
    store = {**kind, "metadata": place, "spec": {"retentionPolicy": "30d"}, "status": {}}
    given: dict[str, Any] = {"apiVersion": "v1", "kind": "List", "items": [cluster, store]}
    own, found = json.loads(made(given).stdout)["items"]
    name = "headwater-postgres-restored-backups"
    assert own == {**kind, "metadata": {"name": name, "namespace": "headwater-data"}, "spec": store["spec"]}
    assert found["spec"]["plugins"][0]["parameters"] == {"barmanObjectName": name}
    (lost,) = found["spec"]["externalClusters"]
    assert lost["plugin"]["parameters"] == {"barmanObjectName": "store", "serverName": "headwater-postgres"}
    given["items"][1]["metadata"]["name"] = "another"
    assert "archives by the ObjectStore store; got another" in made(given).stderr
    assert "one cluster; got 0" in made({**given, "items": [store]}).stderr


def test_a_cluster_without_an_archive_is_refused_in_words(cluster: dict[str, Any]) -> None:
    cluster["spec"]["plugins"][0]["parameters"] = {}
    refused = made(cluster)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--store" in refused.stderr
    assert json.loads(made(cluster, "--store", "s").stdout)["spec"]["plugins"][0]["parameters"] == {
        "barmanObjectName": "s"
    }
    cluster["spec"]["plugins"] = []
    assert "nothing of it was archived" in made(cluster).stderr


def test_the_certificate_of_postgres_names_it_its_pooler_and_a_restored_one() -> None:
    """``verify-full`` asks for the name in the URL, and trusts the authority that signs the store, too."""
    documents = yaml.safe_load_all((ROOT / "deploy/base/platform/certificates.yaml").read_text())
    names = next(item for item in documents if item["metadata"]["name"] == "postgres-tls")["spec"]["dnsNames"]
    for name in ("headwater-postgres-rw", "headwater-postgres-pooler-airflow", "headwater-postgres-restored-rw"):
        assert {name, f"{name}.headwater-data"} <= set(names)
    values = yaml.safe_load((ROOT / "helm-values/common/postgres.yaml").read_text())["cluster"]["certificates"]
    assert set(values.values()) == {"postgres-tls"}
