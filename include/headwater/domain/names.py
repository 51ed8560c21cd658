"""Names and every form they take in Iceberg, Airflow and DataHub."""

from __future__ import annotations

import re
from enum import StrEnum

from pydantic import field_validator

from headwater.domain.base import Value

CATALOG = "lake"
NAME_RULE = "[a-z][a-z0-9_]*, at most 63 characters, without a double underscore or a trailing one"
_NAME = re.compile(r"[a-z](?:_?[a-z0-9])*")
_MARK = re.compile(r"(?:hw|was)_[0-9a-z]{1,64}")
RESERVED_PREFIX = "_hw_"
REPLACED = "was_"
"""Begins the mark of a physical table that another one was swapped in for."""
SCD2_COLUMNS = ("valid_from", "valid_to", "is_current", "batch_in", "batch_out")
"""Columns an scd2 table adds (rule 35); a source column of that name has to be renamed in the YAML."""
RESERVED_COLUMNS = frozenset({"_deleted"})
"""``_deleted`` is Iceberg's own: CREATE succeeds, then every read and write fails."""


RECONCILE_SUFFIX = "__reconcile"
"""Ends the id of the DAG that compares a source; no source or product can have such a name."""
MAINTENANCE = "headwater__maintenance"
"""Id of the DAG that maintains tables, and of its leases; no source or product can have such a name."""
OFFLOAD = "headwater__offload"
"""Id of the DAG that says what of a table's history can leave its source."""
OPERATIONS = (MAINTENANCE, OFFLOAD)
"""DAGs of no pipeline whose killed tasks are told. The watchdog is not among them: its next run goes on."""


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


def is_mark(text: str) -> bool:
    """Whether ``text`` may mark a physical table beside the one a name stands for."""
    return _MARK.fullmatch(text) is not None


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
        return ".".join((CATALOG, *self.identifier))

    @property
    def _lake_name(self) -> str:
        return f"{CATALOG}.{self.layer.value}.{self.source}__{self.table}"

    @property
    def dotted(self) -> str:
        """``silver.flights.flights``: how people and SQL files name it (rule 37)."""
        return f"{self.layer.value}.{self.source}.{self.table}"

    @property
    def asset_uri(self) -> str:
        """Airflow asset; DataHub's plugin maps this form to the same URN as ``urn``."""
        return f"iceberg://{self._lake_name}"

    @property
    def urn(self) -> str:
        """DataHub dataset URN."""
        return f"urn:li:dataset:(urn:li:dataPlatform:iceberg,{self._lake_name},PROD)"

    def __str__(self) -> str:
        return self.dotted

    def at(self, physical: str | None) -> TableName:
        """The physical table of that mark beside the one the name stands for; the name itself where there is none."""
        if physical is None:
            return self
        return PhysicalName.of(self, physical)

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


class PhysicalName(TableName):
    """A physical table beside the one that the name stands for: staged to replace it, or replaced by it (rule 14).

    :param mark: ``hw_<attempt>``, the branch it was staged on, or ``was_<uuid of the table>``. No table of a pipeline
        can have the identifier that it gives. Words about it, and its asset, are those of the table's name.
    """

    mark: str

    @field_validator("mark")
    @classmethod
    def _made_by_us(cls, text: str) -> str:
        if not is_mark(text):
            raise ValueError(f"{text!r} marks no physical table")
        return text

    @classmethod
    def of(cls, table: TableName, mark: str) -> PhysicalName:
        return cls(layer=table.layer, source=table.source, table=table.table, mark=mark)

    @property
    def identifier(self) -> tuple[str, str]:
        namespace, table = super().identifier
        return (namespace, f"{table}__{self.mark}")

    @property
    def name(self) -> TableName:
        """The table it is, or was, or is to become."""
        return TableName(layer=self.layer, source=self.source, table=self.table)

    @property
    def is_replaced(self) -> bool:
        """Whether the name stood for it once, so that releases of then are read in it."""
        return self.mark.startswith(REPLACED)
