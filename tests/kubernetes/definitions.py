"""CustomResourceDefinitions of the operators' resources, made of the schemas that ``make check`` holds manifests to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]

SCHEMAS = Path(__file__).parents[2] / "deploy" / "schemas"
_ANYTHING: Schema = {"x-kubernetes-preserve-unknown-fields": True}
_KEPT = ("enum", "format", "required")


def definitions(folder: str | None) -> list[Schema]:
    """Those in a folder of yours, as the operators ship them; for every other resource ours."""
    found = [] if folder is None else _shipped(Path(folder))
    there = {item["metadata"]["name"] for item in found}
    return found + [ours for ours in map(_ours, sorted(SCHEMAS.glob("*/*.json"))) if _name(ours) not in there]


def _shipped(folder: Path) -> list[Schema]:
    every = [item for path in sorted(folder.glob("*.yaml")) for item in yaml.safe_load_all(path.read_text())]
    found = [item for item in every if item and item.get("kind") == "CustomResourceDefinition"]
    for item in found:
        # conversion asks an operator that does not run here
        item["spec"].pop("conversion", None)
        item.pop("status", None)
    return found


def _name(definition: Schema) -> str:
    return str(definition["metadata"]["name"])


def _ours(path: Path) -> Schema:
    schema = json.loads(path.read_text())
    singular, _, version = path.stem.partition("_")
    made = structural(schema, schema.get("$defs", {}))
    made.pop("nullable", None)
    kind = KINDS[singular]
    made["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
    one = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": made}}
    names = {"kind": kind, "singular": singular, "plural": f"{singular}s", "listKind": f"{kind}List"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{singular}s.{path.parent.name}",
            # groups of Kubernetes' own project ask for a word about where the definition comes from
            "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"},
        },
        "spec": {"group": path.parent.name, "scope": "Namespaced", "names": names, "versions": [one]},
    }


KINDS = {
    kind.lower(): kind
    for kind in (
        "Application", "AppProject", "Certificate", "ExternalSecret", "Kafka", "KafkaConnect", "KafkaNodePool",
        "KafkaUser", "PodMonitor", "PrometheusRule", "SparkApplication", "VerticalPodAutoscaler",
    )
}  # fmt: skip


def structural(schema: Schema, every: dict[str, Schema]) -> Schema:
    """A JSON schema in the form the API server takes: no references, one type, nothing closed (it prunes instead)."""
    if "$ref" in schema:
        return structural(every[schema["$ref"].rpartition("/")[2]], every)
    kinds = schema.get("type", [])
    named = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
    if len(named) != 1:
        return dict(_ANYTHING)
    made: Schema = {"type": named[0], **{key: schema[key] for key in _KEPT if key in schema}}
    if "null" in kinds and isinstance(kinds, list):
        made["nullable"] = True
    if isinstance(made.get("enum"), list):
        made["enum"] = [value for value in made["enum"] if value is not None]
    return made | _inside(named[0], schema, every)


def _inside(kind: str, schema: Schema, every: dict[str, Schema]) -> Schema:
    if kind == "array":
        return {"items": structural(schema.get("items", {}), every)}
    if kind != "object":
        return {}
    if "properties" in schema:
        return {"properties": {key: structural(value, every) for key, value in schema["properties"].items()}}
    values = schema.get("additionalProperties")
    return {"additionalProperties": structural(values, every)} if isinstance(values, dict) else dict(_ANYTHING)
