"""Helm values: every key exists in the chart's named version, and every value says why it is there."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tests.unit.helm_values.values import ROOT, VALUES, composed

from headwater.adapters.monitoring.platform_rules import STORE_SCRAPED

LAYERS = ("common", "dev", "prod")
FILES = sorted(file for layer in LAYERS for file in (VALUES / layer).glob("*.yaml"))
CHARTS: list[dict[str, Any]] = yaml.safe_load((VALUES / "charts.yaml").read_text())["charts"]
SECRET_KEYS = ("password", "rootpassword", "token", "fernetkey", "apisecretkey", "jwtsecret", "pass")


def _name(file: Path) -> str:
    return file.relative_to(VALUES).as_posix()


def _leaves(node: yaml.Node, covered: bool, lines: list[str]) -> Iterator[tuple[int, bool]]:
    """Line of every value, and whether a comment on its line, or on a key above it, says why."""
    if isinstance(node, yaml.MappingNode) and node.value:
        for key, value in node.value:
            here = covered or "#" in _after_text(lines[key.start_mark.line])
            above = key.start_mark.line > _header(lines) and lines[key.start_mark.line - 1].strip().startswith("#")
            yield from _leaves(value, here or above, lines)
    elif isinstance(node, yaml.SequenceNode) and node.value:
        for item in node.value:
            yield from _leaves(item, covered, lines)
    else:
        yield node.start_mark.line + 1, covered or "#" in _after_text(lines[node.start_mark.line])


def _header(lines: list[str]) -> int:
    """How many comment lines a file opens with: they are about the file, not about its first key."""
    return next(n for n, line in enumerate(lines) if not line.startswith("#"))


def _after_text(line: str) -> str:
    """The line without its quoted parts, in which a # is no comment."""
    return "".join(part for n, part in enumerate(line.replace("'", '"').split('"')) if n % 2 == 0)


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_every_key_exists_in_the_chart(file: Path) -> None:
    schema = json.loads((VALUES / "keys" / f"{file.stem}.json").read_text())
    found = jsonschema.Draft202012Validator(schema).iter_errors(yaml.safe_load(file.read_text()))
    assert [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in found] == []


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_every_value_says_why(file: Path) -> None:
    text = file.read_text()
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    assert node is not None
    silent = [line for line, covered in _leaves(node, False, text.splitlines()) if not covered]
    assert [f"{_name(file)}:{line}: {text.splitlines()[line - 1].strip()}" for line in silent] == []


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_no_secret_stands_in_a_file(file: Path) -> None:
    assert list(_secrets(yaml.safe_load(file.read_text()), "")) == []


def _secrets(value: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and str(key).lower() in SECRET_KEYS:
                yield f"{at}.{key}"
            yield from _secrets(inner, f"{at}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _secrets(item, at)


def test_each_chart_has_values_for_both_environments_and_its_version_is_stated() -> None:
    assert len(CHARTS) >= 10
    for chart in CHARTS:
        assert chart["version"]
        assert chart["licence"]
        title = json.loads((VALUES / "keys" / f"{chart['name']}.json").read_text())["title"]
        assert title == f"keys of the chart {chart['chart']} {chart['version']}, {chart['licence']}"
        for layer in LAYERS:
            file = VALUES / layer / f"{chart['name']}.yaml"
            assert f"hart {chart['chart']} {chart['version']}" in file.read_text().splitlines()[0], file
    assert {file.stem for file in FILES} == {chart["name"] for chart in CHARTS}


def _airflow_options() -> dict[str, set[str]]:
    """Section -> options that the installed Airflow and its Kubernetes provider know."""
    from airflow.providers.cncf.kubernetes.get_provider_info import get_provider_info

    found = importlib.util.find_spec("airflow")
    assert found is not None
    assert found.origin is not None
    core = yaml.safe_load((Path(found.origin).parent / "config_templates" / "config.yml").read_text())
    sections = {**core, **get_provider_info()["config"]}  # type: ignore[no-untyped-call]  # generated file
    return {name: set(section["options"]) for name, section in sections.items()}


@pytest.mark.parametrize("layer", LAYERS)
def test_airflow_options_exist_in_the_airflow_we_install(layer: str) -> None:
    known = _airflow_options()
    config = yaml.safe_load((VALUES / layer / "airflow.yaml").read_text())["config"]
    unknown = [f"{name}.{key}" for name, keys in config.items() for key in keys if key not in known.get(name, ())]
    assert unknown == []


def test_prod_speaks_tls_and_asks_for_passwords() -> None:
    prod = {chart["name"]: composed(chart["name"], "prod") for chart in CHARTS}
    assert prod["minio"]["tls"]["enabled"]
    assert prod["airflow"]["config"]["api"]["ssl_cert"]
    assert prod["airflow"]["config"]["core"]["execution_api_server_url"].startswith("https://")
    assert prod["trino"]["server"]["config"]["https"]["enabled"]
    assert prod["trino"]["server"]["config"]["authenticationType"] == "PASSWORD"
    assert "hostnossl all all all reject" in prod["postgres"]["cluster"]["postgresql"]["pg_hba"]
    assert prod["datahub"]["global"]["elasticsearch"]["useSSL"] == "true"


def test_prometheus_sees_what_charts_make_for_it_and_counts_nothing_twice() -> None:
    """MinIO's chart has its cluster scraped by a Probe; what each node tells is part of that, and would be added."""
    seen = composed("kube-prometheus-stack", "prod")["prometheus"]["prometheusSpec"]
    for kind in ("serviceMonitor", "podMonitor", "probe", "rule"):
        assert seen[f"{kind}SelectorNilUsesHelmValues"] is False
    minio = composed("minio", "prod")
    assert minio["metrics"]["serviceMonitor"] == {"enabled": True}
    assert minio["fullnameOverride"] in STORE_SCRAPED, "the chart calls the Probe's job so"


def test_the_bundle_keeps_its_dags_when_its_connection_cannot_be_read() -> None:
    config = composed("airflow", "prod")["config"]["dag_processor"]
    (bundle,) = json.loads(config["dag_bundle_config_list"])
    place = yaml.safe_load((ROOT / "deploy" / "argocd" / "prod" / "place.yaml").read_text())["data"]
    assert bundle["kwargs"]["repo_url"] == place["repository"]
    assert config["dag_file_processor_timeout"] > composed("airflow", "prod")["config"]["core"]["dagbag_import_timeout"]
