"""Derive the key schemas of ``keys/`` again, after a chart's or a resource's version was raised.

    helm pull apache/airflow --version 1.22.0 --untar
    uv run python helm-values/derive_keys.py chart airflow ./airflow
    uv run python helm-values/derive_keys.py crd ./crds/kafka.yaml --version "strimzi 1.2.0" deploy/base/kafka/*.yaml

A schema lists which keys a level may hold, only along the paths our files use: no value and no text of the chart's.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
CUSTOM = HERE.parent / "deploy" / "schemas"
LAYERS = ("common", "dev", "prod")
TYPES = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
OPEN: dict[str, Any] = {}
KUBERNETES_OWN = {"resources"}
"""Keys that hold what Kubernetes defines, whatever a chart's default happens to fill in."""


def merged(trees: Iterable[Any]) -> dict[str, Any]:
    """The keys of all trees: what our files use, values dropped; the items of a list are one tree."""
    found: dict[str, Any] = {}
    for tree in trees:
        for item in tree if isinstance(tree, list) else [tree]:
            for key, value in item.items() if isinstance(item, dict) else ():
                found[str(key)] = merged([found.get(str(key), {}), value])
    return found


class Deriver:
    """Walks a chart's defaults and its JSON schema side by side, along what is used."""

    def __init__(
        self,
        definitions: Mapping[str, Any],
        free: Iterable[str] = (),
        documented: Iterable[str] = (),
        whole: bool = False,
    ) -> None:
        """:param whole: what is checked is a whole resource, so that what is required must be there."""
        self._whole = whole
        self._root = definitions
        self._free = set(free)
        self._documented = set(documented)

    def level(self, default: Any, schema: Mapping[str, Any], used: Mapping[str, Any], at: str = "") -> dict[str, Any]:
        """The allowed keys of one level, and of the levels below that are used.

        :param at: dotted path of the level.
        """
        if at in self._free or at.rpartition(".")[2] in KUBERNETES_OWN:
            return {"type": ["object", "null"]}
        schema = self._resolved(schema)
        properties = dict(schema.get("properties") or {})
        if schema.get("items") and not isinstance(default, dict):
            return {"type": ["array", "null"], "items": self.level(None, schema["items"], used, at)}
        defaults = default if isinstance(default, dict) else {}
        is_open = not (properties or defaults) or bool(schema.get("x-kubernetes-preserve-unknown-fields"))
        if is_open or (schema.get("additionalProperties") and not defaults):
            return self._leaf(default, schema)
        below = f"{at}." if at else ""
        names = sorted({*properties, *defaults} | {name for name in used if below + name in self._documented})
        if not used:
            return {"type": ["object", "null"]}
        found = {
            name: self.level(defaults.get(name), properties.get(name, OPEN), used[name], below + name)
            if name in used
            else OPEN
            for name in names
        }
        level = {"type": ["object", "null"], "additionalProperties": False, "properties": found}
        return level | ({"required": schema["required"]} if self._whole and schema.get("required") else {})

    def _leaf(self, default: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
        if schema.get("x-kubernetes-int-or-string") or isinstance(schema.get("type"), list):
            return OPEN
        kind = schema.get("type") or (TYPES[type(default)] if default is not None else None)
        kind = "number" if kind == "integer" else kind
        of_all = schema.get("additionalProperties")
        if kind == "object" and isinstance(of_all, dict) and isinstance(of_all.get("type"), list):
            return {"type": ["object", "null"], "additionalProperties": {"type": of_all["type"]}}
        choices = {"enum": schema["enum"]} if self._whole and "enum" in schema else {}
        return {"type": [kind, "null"]} | choices if kind else OPEN

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            place: Any = self._root
            for part in str(schema["$ref"]).removeprefix("#/").split("/"):
                place = place[part]
            schema = place
        return schema


def chart_defaults(folder: Path) -> dict[str, Any]:
    """The chart's default values, those of its subcharts below their names, as Helm composes them."""
    found: dict[str, Any] = yaml.safe_load((folder / "values.yaml").read_text())
    for inner in (*folder.glob("charts/*/Chart.yaml"), *folder.glob("subcharts/*/Chart.yaml")):
        if not (inner.parent / "values.yaml").exists():
            continue
        below = yaml.safe_load((inner.parent / "values.yaml").read_text()) or {}
        outer = found.get(inner.parent.name) or {}
        found[inner.parent.name] = below | outer
    return found


def derive_chart(name: str, folder: Path) -> dict[str, Any]:
    """The key schema of one chart along all our values files of that name."""
    layers = [path for layer in LAYERS if (path := HERE / layer / f"{name}.yaml").exists()]
    used = merged(yaml.safe_load(path.read_text()) for path in layers)
    published = folder / "values.schema.json"
    schema = json.loads(published.read_text()) if published.exists() else {}
    entry = next(item for item in yaml.safe_load((HERE / "charts.yaml").read_text())["charts"] if item["name"] == name)
    deriver = Deriver(schema, entry.get("free", ()), entry.get("documented", ()))
    derived = deriver.level(chart_defaults(folder), schema, used)
    return {"title": f"keys of the chart {entry['chart']} {entry['version']}, {entry['licence']}"} | derived


def derive_resources(crd: Path, version: str, manifests: Iterable[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """File and schema per version of a custom resource definition, along the manifests of that kind."""
    ours = [item for path in manifests for item in yaml.safe_load_all(path.read_text()) if item]
    for definition in yaml.safe_load_all(crd.read_text()):
        group, kind = definition["spec"]["group"], definition["spec"]["names"]["kind"]
        for served in definition["spec"]["versions"]:
            used = merged(m for m in ours if (m["apiVersion"], m["kind"]) == (f"{group}/{served['name']}", kind))
            if used:
                schema = served["schema"]["openAPIV3Schema"]
                metadata = {"metadata": {"type": "object"}}
                schema = schema | {"properties": schema["properties"] | metadata}
                title = {"title": f"keys of {kind}, {version}"}
                file = CUSTOM / group / f"{kind.lower()}_{served['name']}.json"
                yield file, title | Deriver(schema, whole=True).level(None, schema, used)


def write(path: Path, schema: Mapping[str, Any]) -> None:
    """Write a schema, sorted, so that a raised version shows as a readable difference."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema, indent=1, sort_keys=True) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    chart = commands.add_parser("chart")
    chart.add_argument("name")
    chart.add_argument("folder", type=Path)
    crd = commands.add_parser("crd")
    crd.add_argument("definition", type=Path)
    crd.add_argument("manifests", type=Path, nargs="+")
    crd.add_argument("--version", required=True)
    given = parser.parse_args()
    if given.command == "chart":
        write(HERE / "keys" / f"{given.name}.json", derive_chart(given.name, given.folder))
        return
    for file, schema in derive_resources(given.definition, given.version, given.manifests):
        write(file, schema)


if __name__ == "__main__":
    main()
