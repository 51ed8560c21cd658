"""What is told to the catalogue of metadata about a run."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from headwater.domain.base import Value
from headwater.domain.names import TableName
from headwater.domain.schema import TableSchema
from headwater.domain.spec import Owner
from headwater.domain.staging import Verdict


class ColumnLineage(Value):
    """One column of a table and every input column it is derived from, as (dotted table or source relation, column).

    :param transformation: the SQL expression, for people.
    """

    column: str
    inputs: tuple[tuple[str, str], ...]
    transformation: str = ""


class SourcePlace(Value):
    """What a connection leads to, in the words of the catalogue of metadata.

    :param platform: DataHub's data platform, such as ``postgres`` or ``file``.
    :param database: the database that names of relations start with, of SQLite its file; None: nobody knows it.
    :param schema_name: where a relation is that is named without a schema; None where there are none.
    """

    platform: str
    database: str | None = None
    schema_name: str | None = None


class DatasetFacts(Value):
    """A table after a run."""

    table: TableName
    description: str | None
    owner: Owner
    domain: str | None
    schema_: TableSchema
    classifications: dict[str, str] = Field(default_factory=dict)
    upstreams: tuple[str, ...] = ()
    """Dotted tables, or ``source:<connection>:<relation>`` for bronze, the relation as the YAML names it."""
    columns: tuple[ColumnLineage, ...] = ()
    rows: int | None = None
    """Rows the table holds, where the run counted them."""
    rows_added: int | None = None
    """Bronze: rows the run appended."""
    snapshot_id: int | None = None
    moved: bool = False
    source_changes: str = ""
    """Bronze: what the source changed and the table bore, in words; empty where nothing changed."""
    verdict: Verdict | None = None


class TaskFacts(Value):
    """One stage of the run."""

    task_id: str
    state: Literal["success", "failed", "skipped"]
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None


class RunFacts(Value):
    """Everything ``emit_lineage`` sends."""

    pipeline: str
    description: str
    owner: Owner
    run_key: str
    run_id: str
    release: str | None
    state: Literal["success", "failed"]
    started_at: AwareDatetime
    ended_at: AwareDatetime
    datasets: tuple[DatasetFacts, ...]
    tasks: tuple[TaskFacts, ...] = ()
    url: str | None = None
    sources: dict[str, SourcePlace] = Field(default_factory=dict)
    """Connection id -> what it leads to, for upstreams of the form ``source:<connection>:<relation>``."""
