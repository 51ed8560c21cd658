"""The YAML files exactly as a developer writes them, before defaults and neighbouring files are taken in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from headwater.domain.base import Value
from headwater.domain.change import Acknowledgement
from headwater.domain.spec import (
    ColumnRule,
    Duration,
    Freshness,
    Owner,
    PythonFunction,
    PythonTransform,
    Reconcile,
    Schedule,
    Silver,
)
from headwater.domain.table_layout import TableLayout


def _manual(value: object) -> object:
    return {"manual": True} if value == "manual" else value


DocumentSchedule = Annotated[Schedule, BeforeValidator(_manual)]
ConnectionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,127}$")]
Tag = Annotated[str, Field(min_length=1, max_length=100)]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Acceptance(Value):
    """A practice of the check that a table is meant to have, and why."""

    practice: Literal[
        "select_star",
        "cross_join",
        "non_deterministic",
        "unbounded_history",
        "missing_grain",
        "invisible_deletes",
        "no_description",
    ]
    because: Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=500)]


class TableDocument(Value):
    """One entry under ``tables``; its ``extract`` overrides the file's."""

    description: str | None = None
    owner: Owner | None = None
    key: tuple[str, ...] = ()
    extract: dict[str, Any] = Field(default_factory=dict)
    silver: Silver
    columns: dict[str, ColumnRule] = Field(default_factory=dict)
    transform: PythonFunction | None = None
    drift: Literal["stop", "evolve", "quarantine"] = "stop"
    max_quarantined_share: float = Field(default=0.01, ge=0, le=1)
    accept: tuple[Acceptance, ...] = ()
    acknowledge: tuple[Acknowledgement, ...] = ()


class GoldDocument(TableLayout):
    """One entry under ``gold``; its SQL is ``sql/gold/<file stem>/<name>.sql``, unless a Python function makes it."""

    mode: Literal["rebuild", "merge", "append"] = "rebuild"
    description: str | None = None
    owner: Owner | None = None
    grain: tuple[str, ...] = ()
    transform: PythonTransform | None = None
    accept: tuple[Acceptance, ...] = ()
    acknowledge: tuple[Acknowledgement, ...] = ()


class ProductDocument(Value):
    """``dags/products/<product>.yaml``: gold over several sources."""

    description: Sentence
    owner: Owner
    domain: str | None = None
    schedule: DocumentSchedule
    freshness: Freshness = Freshness()
    lease_wait: Duration | None = None
    tags: tuple[Tag, ...] = ()
    gold: dict[str, GoldDocument] = Field(min_length=1)


class ReconcileDocument(Reconcile):
    """When the source is compared with what readers see of it."""

    schedule: DocumentSchedule


class SourceDocument(Value):
    """``dags/sources/<source>.yaml``: what, when and who; never how."""

    description: Sentence
    owner: Owner
    domain: str | None = None
    schedule: DocumentSchedule
    connection: ConnectionId
    freshness: Freshness = Freshness()
    lease_wait: Duration | None = None
    tags: tuple[Tag, ...] = ()
    extract: dict[str, Any] = Field(default_factory=dict)
    tables: dict[str, TableDocument] = Field(min_length=1)
    reconcile: ReconcileDocument | None = None
    gold: dict[str, GoldDocument] = Field(default_factory=dict)


class Profile(Value):
    """Defaults an environment sets for every source; a source's YAML overrides them (rule 4)."""

    extract: dict[str, Any] = Field(default_factory=dict)
    lease_wait: Duration | None = None
    turn: Duration | None = None
    """How long maintenance keeps a table from runs at most; None: not known where the files are read."""


Document = SourceDocument | ProductDocument
EXTRACT_KINDS = ("sql", "files", "external")
