"""The committed files: what a Prometheus and a Grafana are given."""

from __future__ import annotations

import json

import yaml

from headwater.adapters.monitoring.dashboards import DASHBOARDS, dashboard_file
from headwater.adapters.monitoring.platform_dashboards import PLATFORM_DASHBOARDS
from headwater.adapters.monitoring.platform_rules import PLATFORM_RULES
from headwater.adapters.monitoring.rules import RULES, rules_file

RULES_FILE = "prometheus/headwater.rules.yaml"
RULES_RESOURCE = "prometheus/headwater.resource.yaml"
NAMESPACE = "headwater-monitoring"
_HEADER = (
    "# Written by `make monitoring` from the metrics that are sent; change headwater.adapters.monitoring instead.\n"
)


_WIDTH = 64
"""PyYAML breaks a line at the first blank after so many columns, and a selector has 55: lines stay within 120."""


class _Indented(yaml.SafeDumper):
    """Lists indented below their key, as the house's YAML is."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's form
        super().increase_indent(flow, indentless=False)


def monitoring_files() -> dict[str, str]:
    """Path below ``monitoring/`` -> content: for a Prometheus and a Grafana, and the same for a cluster."""
    boards = (*DASHBOARDS, *PLATFORM_DASHBOARDS)
    rules = rules_file(headwater=RULES, platform=PLATFORM_RULES)
    about = {"name": "headwater", "namespace": NAMESPACE}
    resource = {
        "apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": about, "spec": rules,
    }  # fmt: skip
    drawn = {
        f"grafana/{board.uid}.json": json.dumps(dashboard_file(board), indent=2, ensure_ascii=False) + "\n"
        for board in boards
    }
    return {
        RULES_FILE: _yaml(rules),
        RULES_RESOURCE: _yaml(resource),
        "kustomization.yaml": _yaml(_kustomization([board.uid for board in boards])),
        **drawn,
    }


def _kustomization(names: list[str]) -> dict[str, object]:
    """A ConfigMap a dashboard, with the label that Grafana's sidecar of the chart looks for."""
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "resources": [RULES_RESOURCE],
        "configMapGenerator": [{"name": name, "files": [f"grafana/{name}.json"]} for name in names],
        "generatorOptions": {"disableNameSuffixHash": True, "labels": {"grafana_dashboard": "1"}},
    }


def _yaml(document: object) -> str:
    return _HEADER + yaml.dump(document, Dumper=_Indented, sort_keys=False, width=_WIDTH, allow_unicode=True)
