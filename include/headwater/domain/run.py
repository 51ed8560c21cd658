"""What a run is called and what it decided to do, frozen before anything is read."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal
from urllib.parse import quote, unquote

from pydantic import AwareDatetime, Field

from headwater.domain.base import Value
from headwater.domain.change import SpecChange


class RunKey(Value):
    """``<installation>/<dag id>/<run id>``, URL-escaped (rule 1)."""

    installation: str
    dag_id: str
    run_id: str

    def __str__(self) -> str:
        return "/".join(quote(part, safe="") for part in (self.installation, self.dag_id, self.run_id))

    @classmethod
    def parse(cls, text: str) -> RunKey:
        """Read the escaped form. :raises ValueError: when it has not exactly three parts."""
        installation, dag_id, run_id = (unquote(part) for part in text.split("/"))
        return cls(installation=installation, dag_id=dag_id, run_id=run_id)


class RunKind(StrEnum):
    """Only a scheduled run advances the watermark (rule 7); a manual run without parameters counts as one."""

    SCHEDULED = "scheduled"
    BACKFILL = "backfill"
    FULL_REFRESH = "full_refresh"
    REBUILD = "rebuild"


class RunRequest(Value):
    """The only things a run's parameters may change (rule 4). Times are UTC; the window is half-open: [from, to)."""

    tables: tuple[str, ...] = ()
    window_from: AwareDatetime | None = None
    window_to: AwareDatetime | None = None
    full_refresh: bool = False
    dry_run: bool = False
    reason: str = Field(default="", max_length=500)
    rebuild: tuple[str, ...] = ()
    """Dotted silver and gold tables to derive again; then nothing is read from the source."""
    rebuild_from: int | AwareDatetime | None = None
    """Silver only: derive only keys again that rows of this batch, or of this instant, or later ones concern."""

    @property
    def kind(self) -> RunKind:
        if self.rebuild:
            return RunKind.REBUILD
        if self.full_refresh:
            return RunKind.FULL_REFRESH
        return RunKind.BACKFILL if self.window_from or self.window_to else RunKind.SCHEDULED


class Window(Value):
    """What one run reads from one source table.

    ``low`` and ``high`` are cursor values as text in the source's own order; the window is (low, high], and ``low``
    already has the lag taken off. Files: ``items`` are the paths with etag and size to be read. A snapshot extract
    has neither. ``job``: what a job elsewhere delivers, which is started once per run by extract_to_bronze.

    ``digest`` is what the table's state held when planned: a snapshot extract whose content has this digest returns
    no files (rule 28).
    """

    kind: Literal["snapshot", "incremental", "files", "job", "nothing"]
    low: str | None = None
    high: str | None = None
    items: tuple[str, ...] = ()
    advances_watermark: bool = True
    null_cursors: int = 0
    future_cursors: int = 0
    digest: str | None = None
    note: str = ""


class InputRef(Value):
    """Exactly what a stage read: a snapshot, and the highest batch taken from it (rule 26)."""

    snapshot_id: int
    batch: int
    generation: int = 0
    """``TableState.generation`` of the input: a consumer that follows changes starts over when it differs."""


class TablePlan(Value):
    """The frozen decision for one table of a source.

    :param base_snapshot: ``main`` of the bronze table when planned; None before its first publish.
    :param batch: ``_hw_batch`` the rows of this run get: base batch + 1.
    """

    table: str
    base_snapshot: int | None
    batch: int
    window: Window
    spec_hash: str
    problem: str | None = None
    """Why this table could not be planned; its own extract task fails with it, and its neighbours go on."""


class RunPlan(Value):
    """Everything ``plan_run`` froze for a run (rule 5). ``planned_at`` is the run's only clock."""

    run_key: RunKey
    kind: RunKind
    planned_at: AwareDatetime
    spec_hash: str
    tables: tuple[TablePlan, ...] = ()
    inputs: dict[str, int] = Field(default_factory=dict)
    """Products: dotted input table -> snapshot id of the release it was read from (rule 39)."""
    input_refs: dict[str, InputRef] = Field(default_factory=dict)
    """The same inputs with their batch and generation, which incremental gold needs (rule 38)."""
    request: RunRequest = RunRequest()
    changes: tuple[SpecChange, ...] = ()
    """What the files of this run change of the tables that were there (rule 14)."""

    def table(self, name: str) -> TablePlan | None:
        return next((plan for plan in self.tables if plan.table == name), None)


def position(planned_at: datetime, ordinal: int, epoch: int = 0) -> str:
    """Sortable position of a row read by SQL or from a file: epoch, planned_at in µs, ordinal (rule 27)."""
    return f"{position_prefix(planned_at, epoch)}{ordinal:012d}"


def position_prefix(planned_at: datetime, epoch: int = 0) -> str:
    """The part of a position that all rows of one extract share; the 12-digit ordinal follows it."""
    instant = planned_at.astimezone(UTC)
    micros = int(instant.replace(microsecond=0).timestamp()) * 1_000_000 + instant.microsecond
    return f"{epoch:04d}-{micros:016d}-"
