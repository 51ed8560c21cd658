"""Manifests: known to the schemas of what they are, unprivileged, closed, and in step with the charts."""

from __future__ import annotations

import copy
import json
import re

import jsonschema
import kubernetes_validate
import pytest
import yaml
from tests.unit.deploy.manifests import DEPLOY, ROOT, Manifest, containers, manifests, of_kind, pods

from headwater.adapters.profile import load_settings

KUBERNETES = "1.35"
CHARTS = yaml.safe_load((ROOT / "helm-values" / "charts.yaml").read_text())["charts"]
VARIABLE = re.compile(r"^[^#\n]*\$\{([A-Z0-9_]+)\}", re.MULTILINE)
SECRET = re.compile(r"[sS]ecret(?:Name|Ref)?: \{?(?:create: false, )?(?:name: |secretRef: )?([a-z][a-z0-9-]+)\b(?!:)")


def _refused(manifest: Manifest) -> str | None:
    """Why the schema of its kind refuses a manifest; None when it does not."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    own = DEPLOY / "schemas" / group / f"{manifest['kind'].lower()}_{version}.json"
    try:
        if own.exists():
            jsonschema.Draft202012Validator(json.loads(own.read_text())).validate(manifest)
        else:
            kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as error:
        return str(error.message)
    return None


def test_every_manifest_is_what_its_schema_allows() -> None:
    assert [(file, reason) for file, manifest in manifests() if (reason := _refused(manifest))] == []


@pytest.mark.parametrize("kind", ["CronJob", "Kafka", "ExternalSecret", "Application", "NetworkPolicy"])
def test_a_mistyped_key_is_refused(kind: str) -> None:
    wrong = copy.deepcopy(of_kind(kind)[0])
    wrong["spec"]["mistyped"] = True
    assert "mistyped" in (_refused(wrong) or "")


def test_no_pod_of_ours_is_privileged() -> None:
    for name, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["serviceAccountName"] != "default", name
    for name, container in containers():
        context = container["securityContext"]
        assert context == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}, name
        assert container["resources"]["requests"], name
        assert container["resources"]["limits"]["memory"], name


def test_no_account_may_read_secrets_or_anything_in_the_whole_cluster() -> None:
    assert of_kind("ClusterRole", "ClusterRoleBinding", "Secret") == []
    for role in of_kind("Role"):
        for rule in role["rules"]:
            assert not {"*", "secrets", "pods/exec"} & {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}


def test_only_accounts_with_rights_get_a_token() -> None:
    subjects = [subject for binding in of_kind("RoleBinding") for subject in binding["subjects"]]
    # accounts of operators are made by their charts
    bound = {subject["name"] for subject in subjects if subject["namespace"] != "headwater-operators"}
    tokens = {
        account["metadata"]["name"]
        for account in of_kind("ServiceAccount")
        if account.get("automountServiceAccountToken", True)
    }
    assert tokens == bound


def test_every_namespace_with_data_starts_closed() -> None:
    named = {namespace["metadata"]["name"] for namespace in of_kind("Namespace")}
    closed = {
        policy["metadata"]["namespace"] for policy in of_kind("NetworkPolicy") if policy["metadata"]["name"] == "closed"
    }
    assert named - closed == {"headwater-operators", "headwater-monitoring"}
    for policy in of_kind("NetworkPolicy"):
        open_to_all = [rule for rule in policy["spec"].get("ingress", ()) if not rule.get("from")]
        assert open_to_all == [], policy["metadata"]


def test_applications_are_the_charts_that_are_listed() -> None:
    for chart in CHARTS:
        application = yaml.safe_load((DEPLOY / "argocd" / "apps" / f"{chart['name']}.yaml").read_text())
        source, values = application["spec"]["sources"]
        assert (source["chart"], source["targetRevision"], source["repoURL"]) == (
            chart["chart"], chart["version"], chart["repository"],
        )  # fmt: skip
        assert values["ref"] == "values"
        assert application["spec"]["destination"]["namespace"] == chart["namespace"]
        assert application["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == str(chart["wave"])
        for path in source["helm"]["valueFiles"]:
            assert (ROOT / path.removeprefix("$values/").replace("ENVIRONMENT", "prod")).exists()


def test_the_project_lets_in_no_other_chart_or_namespace() -> None:
    project = of_kind("AppProject")[0]["spec"]
    assert set(project["sourceRepos"]) == {"GIT"} | {chart["repository"] for chart in CHARTS}
    allowed = {place["namespace"] for place in project["destinations"]}
    assert allowed - {"kube-system"} == {namespace["metadata"]["name"] for namespace in of_kind("Namespace")}


def test_the_profile_loads_with_what_the_environment_and_its_documented_secret_hold() -> None:
    profile = DEPLOY / "base" / "environment" / "profile.yaml"
    given = next(map_ for map_ in of_kind("ConfigMap") if map_["metadata"]["name"] == "headwater-environment")["data"]
    secret = set(VARIABLE.findall(profile.read_text())) - set(given)
    text = (ROOT / "docs" / "operations" / "security.md").read_text()
    assert {name for name in secret if f"`{name}`" not in text} == set()
    environment = given | dict.fromkeys(secret, "postgresql://somewhere/x") | {"HEADWATER_PROFILE": str(profile)}
    settings = load_settings(environment)
    assert settings.spark.jars == given["HEADWATER_JARS"]
    assert settings.home == given["HEADWATER_HOME"]


def test_secrets_that_are_named_are_made() -> None:
    """Every Secret a manifest or a values file refers to comes from the external store or from a certificate."""
    made = {(item["metadata"]["namespace"], item["metadata"]["name"]) for item in of_kind("ExternalSecret")}
    made |= {(item["metadata"]["namespace"], item["spec"]["secretName"]) for item in of_kind("Certificate")}
    names = {name for _, name in made} | {"headwater-cluster-ca-cert", "connect"}  # by Strimzi
    files = [*(ROOT / "helm-values").glob("*/*.yaml"), *DEPLOY.glob("base/*/*.yaml")]
    named = {(path.name, word) for path in files for word in SECRET.findall(path.read_text())}
    assert len(named) > 25
    assert {(file, name) for file, name in named if name not in names} - OUTSIDE - {
        ("kube-prometheus-stack.yaml", "true")
    } == set()


OUTSIDE = {("airflow.yaml", "airflow-ingress-tls"), ("kube-prometheus-stack.yaml", "grafana-tls")}
"""Certificates of public names: the ingress controller's issuer makes them."""


def test_every_secret_is_documented_with_its_path() -> None:
    text = (
        (ROOT / "docs" / "operations" / "security.md")
        .read_text()
        .replace("headwater/postgres/<login>", "headwater/postgres/")
    )
    for secret in of_kind("ExternalSecret"):
        assert f"`{secret['metadata']['name']}`" in text
        paths = [item["extract"]["key"] for item in secret["spec"].get("dataFrom", ())]
        assert all(path in text or path.startswith("headwater/postgres/") for path in paths), paths
