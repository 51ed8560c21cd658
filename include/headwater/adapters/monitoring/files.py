"""The committed files: what a Prometheus and a Grafana are given."""

from __future__ import annotations

import json

import yaml

from headwater.adapters.monitoring.dashboards import DASHBOARDS, dashboard_file
from headwater.adapters.monitoring.rules import rules_file

RULES_FILE = "prometheus/headwater.rules.yaml"
_HEADER = (
    "# Written by `make monitoring` from the metrics that are sent; change headwater.adapters.monitoring instead.\n"
)


class _Indented(yaml.SafeDumper):
    """Lists indented below their key, as the house's YAML is."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's form
        super().increase_indent(flow, indentless=False)


def monitoring_files() -> dict[str, str]:
    """Path below ``monitoring/`` -> content."""
    rules = yaml.dump(rules_file(), Dumper=_Indented, sort_keys=False, width=100, allow_unicode=True)
    boards = {
        f"grafana/{board.uid}.json": json.dumps(dashboard_file(board), indent=2, ensure_ascii=False) + "\n"
        for board in DASHBOARDS
    }
    return {RULES_FILE: _HEADER + rules, **boards}
