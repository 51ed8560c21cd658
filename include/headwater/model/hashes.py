"""Content hashes that decide whether work already done still stands (rule 8).

Each is over everything its content depends on, the version of Headwater included, and over nothing else: an owner or a
description may change without rebuilding a table.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import version
from typing import Any

from headwater.domain.names import Layer, TableName
from headwater.domain.spec import GoldSpec, PipelineSpec, SourceSpec, TableSpec, spec_document
from headwater.domain.table_layout import TableLayout
from headwater.model.python_transforms import code_digest

_WORDS = {"description", "owner", "acknowledge"}


def spec_hash(spec: PipelineSpec) -> str:
    """Over the whole resolved spec, SQL and contracts included; what a plan records (rule 4)."""
    return _hash("spec", spec_document(spec))


def table_hash(spec: SourceSpec, table: TableSpec) -> str:
    """What a bronze table depends on: connection, extract, key, drift policy and bronze contract."""
    made_by = table.model_dump(mode="json", include={"name", "key", "extract", "drift"})
    for key in ("chunk_rows", "readers"):  # how a window is read, not what is in it
        made_by["extract"].pop(key, None)
    return _hash("bronze", spec.connection, made_by, _contract(spec, Layer.BRONZE, table.name))


def silver_hash(spec: SourceSpec, table: TableSpec) -> str:
    """What a silver table depends on besides its bronze rows: mode, key, columns, SQL and silver contract."""
    made_by = table.model_dump(mode="json", exclude={*_WORDS, "extract", "drift", "columns"})
    for key in TableLayout.model_fields:  # what a table holds does not depend on how its files are laid out
        made_by["silver"].pop(key)
    rules = {
        name: rule.model_dump(mode="json", exclude={"description", "classification"})
        for name, rule in table.columns.items()
    }
    extract = table.extract.model_dump(mode="json", include={"kind", "mode", "deleted_column"})
    return _hash("silver", made_by, rules, extract, _contract(spec, Layer.SILVER, table.name))


def gold_hash(spec: PipelineSpec, gold: GoldSpec) -> str:
    """What a gold table depends on besides its inputs: SQL, mode, grain and gold contract."""
    made_by = gold.model_dump(mode="json", exclude=_WORDS | {"inputs"})
    code = () if gold.transform is None else (code_digest(gold.transform),)
    return _hash("gold", made_by, _contract(spec, Layer.GOLD, gold.name), *code)


def preflight_hash(spec: PipelineSpec, table: TableName, fixtures: str) -> str:
    """What the colour of a transform's unit tests depends on: the transform, and the text of its fixtures."""
    if table.layer is Layer.SILVER and isinstance(spec, SourceSpec):
        made_by = silver_hash(spec, spec.table(table.table))
    else:
        made_by = gold_hash(spec, next(gold for gold in spec.gold if gold.name == table.table))
    return _hash("preflight", table.dotted, made_by, fixtures)


def contract_hash(text: str) -> str:
    """What a verdict binds to beside the snapshot (rule 15)."""
    return hashlib.sha256(text.encode()).hexdigest()


def _contract(spec: PipelineSpec, layer: Layer, table: str) -> str | None:
    return spec.contracts.get(spec.name_of(layer, table).dotted)


def _hash(kind: str, *parts: Any) -> str:
    content = [kind, _version(), *parts]
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _version() -> str:
    return version("headwater")
