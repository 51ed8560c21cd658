"""Names and every form they take in Iceberg, Airflow and DataHub."""

from __future__ import annotations

import re
from enum import StrEnum

from pydantic import field_validator

from headwater.domain.base import Value

CATALOG = "lake"
NAME_RULE = "[a-z][a-z0-9_]*, at most 63 characters, without a double underscore or a trailing one"
_NAME = re.compile(r"[a-z](?:_?[a-z0-9])*")
RESERVED_PREFIX = "_hw_"
SCD2_COLUMNS = ("valid_from", "valid_to", "is_current", "batch_in", "batch_out")
"""Columns an scd2 table adds (rule 35); a source column of that name has to be renamed in the YAML."""
RESERVED_COLUMNS = frozenset({"_deleted"})
"""``_deleted`` is Iceberg's own: CREATE succeeds, then every read and write fails."""


RECONCILE_SUFFIX = "__reconcile"
"""Ends the id of the DAG that compares a source; no source or product can have such a name."""


class Layer(StrEnum):
    """Where in the medallion a table lives; also its Iceberg namespace."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"
    QUARANTINE = "quarantine"


def is_name(text: str) -> bool:
    """Whether ``text`` may name a source, product, table or gold model."""
    return len(text) <= 63 and _NAME.fullmatch(text) is not None


def pipeline_of(dag_id: str) -> str:
    """The source or product a DAG works for."""
    return dag_id.removesuffix(RECONCILE_SUFFIX)


class TableName(Value):
    """One Iceberg table: ``lake.<layer>.<source>__<table>``. Products use their own name as ``source``."""

    layer: Layer
    source: str
    table: str

    @field_validator("source", "table")
    @classmethod
    def _grammar(cls, text: str) -> str:
        if not is_name(text):
            raise ValueError(f"{text!r} is no name; allowed: {NAME_RULE}")
        return text

    @property
    def identifier(self) -> tuple[str, str]:
        """(namespace, table) inside the catalog, as pyiceberg wants it."""
        return (self.layer.value, f"{self.source}__{self.table}")

    @property
    def iceberg(self) -> str:
        """``lake.silver.flights__flights``, as Spark SQL wants it."""
        return f"{CATALOG}.{self.layer.value}.{self.source}__{self.table}"

    @property
    def dotted(self) -> str:
        """``silver.flights.flights``: how people and SQL files name it (rule 37)."""
        return f"{self.layer.value}.{self.source}.{self.table}"

    @property
    def asset_uri(self) -> str:
        """Airflow asset; DataHub's plugin maps this form to the same URN as ``urn``."""
        return f"iceberg://{self.iceberg}"

    @property
    def urn(self) -> str:
        """DataHub dataset URN."""
        return f"urn:li:dataset:(urn:li:dataPlatform:iceberg,{self.iceberg},PROD)"

    def __str__(self) -> str:
        return self.dotted

    @classmethod
    def parse(cls, text: str) -> TableName:
        """Read ``silver.flights.flights`` or ``lake.silver.flights__flights``.

        :raises ValueError: when the text has neither form.
        """
        parts = text.removeprefix(f"{CATALOG}.").split(".")
        if len(parts) == 2 and "__" in parts[1]:
            parts = [parts[0], *parts[1].split("__", 1)]
        if len(parts) != 3 or parts[0] not in set(Layer):
            allowed = "<layer>.<source>.<table>, layer one of " + ", ".join(Layer)
            raise ValueError(f"{text!r} is no table; allowed: {allowed}")
        return cls(layer=Layer(parts[0]), source=parts[1], table=parts[2])
