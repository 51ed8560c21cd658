"""The values of a chart as Helm sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
VALUES = ROOT / "helm-values"


def composed(name: str, environment: str) -> dict[str, Any]:
    """Common and environment values as Helm merges them: maps deeply, lists replaced."""
    layers = [yaml.safe_load((VALUES / layer / f"{name}.yaml").read_text()) for layer in ("common", environment)]
    return _merge(layers[0], layers[1])


def _merge(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    found = dict(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = _merge(found[key], value) if both else value
    return found
