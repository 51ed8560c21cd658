"""Write the schema of SparkApplication again, after the Spark operator's version was raised.

    uv run python deploy/write_spark_schema.py > deploy/schemas/sparkoperator.k8s.io/sparkapplication_v1beta2.json

The models of ``kubeflow-spark-api`` are the operator's own, but know no enumerations and let unknown keys in: both are
added here, and only what our manifests use is kept of Kubernetes' types.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from kubeflow_spark_api.models import SparkV1beta2SparkApplication

Schema = dict[str, Any]

ENUMERATIONS = {
    ("SparkV1beta2SparkApplicationSpec", "type"): ["Java", "Python", "R", "Scala"],
    ("SparkV1beta2SparkApplicationSpec", "mode"): ["client", "cluster", "in-cluster-client"],
    ("SparkV1beta2SparkApplicationSpec", "pythonVersion"): ["2", "3"],
    ("SparkV1beta2SparkApplicationSpec", "imagePullPolicy"): ["Always", "IfNotPresent", "Never"],
    ("SparkV1beta2RestartPolicy", "type"): ["Always", "Never", "OnFailure"],
}
"""What the operator's own definition of the resource says beside its models."""
KEPT = {
    "IoK8sApiCoreV1Capabilities",
    "IoK8sApiCoreV1EnvVar",
    "IoK8sApiCoreV1EnvVarSource",
    "IoK8sApiCoreV1PersistentVolumeClaimVolumeSource",
    "IoK8sApiCoreV1PodSecurityContext",
    "IoK8sApiCoreV1SeccompProfile",
    "IoK8sApiCoreV1SecretKeySelector",
    "IoK8sApiCoreV1SecurityContext",
    "IoK8sApiCoreV1Volume",
    "IoK8sApiCoreV1VolumeMount",
}
_WORDS = {"description", "title", "default"}


def spark_application_schema() -> Schema:
    """The schema, closed: a key that is not there is refused."""
    known = SparkV1beta2SparkApplication.model_json_schema(by_alias=True)
    definitions: Schema = {}
    root = _closed("SparkV1beta2SparkApplication", known, known["$defs"], definitions)
    root["properties"] |= {"metadata": {"type": "object"}, "status": {"type": "object"}}
    root["required"] = ["apiVersion", "kind", "metadata", "spec"]
    return root | {"$defs": dict(sorted(definitions.items()))}


def _closed(name: str, model: Schema, every: Schema, definitions: Schema) -> Schema:
    properties = {
        key: _plain(value, every, definitions) | _enumeration(name, key) for key, value in model["properties"].items()
    }
    required = {"required": model["required"]} if model.get("required") else {}
    return {"type": "object", "additionalProperties": False, "properties": properties, **required}


def _enumeration(model: str, key: str) -> Schema:
    values = ENUMERATIONS.get((model, key))
    return {} if values is None else {"enum": values}


def _plain(schema: Schema, every: Schema, definitions: Schema) -> Schema:
    """Without words and nulls: Kubernetes drops a null, so ours have none."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        return _plain(choices[0], every, definitions)
    if "$ref" in schema:
        return _referred(schema["$ref"].rpartition("/")[2], every, definitions)
    made = {key: value for key, value in schema.items() if key not in _WORDS}
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = _plain(made[key], every, definitions)
    return made


def _referred(name: str, every: Schema, definitions: Schema) -> Schema:
    if name.startswith("IoK8s") and name not in KEPT:
        return {}
    if name not in definitions:
        definitions[name] = {}  # it may refer to itself
        definitions[name] = _closed(name, every[name], every, definitions)
    return {"$ref": f"#/$defs/{name}"}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(spark_application_schema(), indent=1, sort_keys=True) + "\n")
