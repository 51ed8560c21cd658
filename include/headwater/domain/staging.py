"""What an attempt staged on its branch, and what a gate said of it."""

from __future__ import annotations

from typing import Literal
from uuid import uuid4

from pydantic import AwareDatetime, Field

from headwater.domain.base import Value
from headwater.domain.names import TableName
from headwater.domain.run import InputRef

StageName = Literal["extract_to_bronze", "refine_to_silver", "build_gold"]


def new_attempt() -> str:
    """A fresh attempt id (rule 2): never Airflow's try number."""
    return uuid4().hex


def branch_of(attempt: str) -> str:
    """The Iceberg branch an attempt writes to."""
    return f"hw_{attempt}"


class TableState(Value):
    """Table property ``headwater.state``: how far a table has come, in the commit that moves ``main`` (rule 17)."""

    version: Literal[1] = 1
    run_key: str
    release: str = ""
    spec_hash: str
    """Hash of the spec, SQL and code this content was made with (rule 8)."""
    batch: int = 0
    """Bronze: highest ``_hw_batch``. Silver: highest bronze batch refined. Gold: number of builds."""
    generation: int = 0
    """Times the content was derived anew instead of followed; by it consumers know that rows may have gone."""
    watermark: str | None = None
    digest: str | None = None
    """Snapshot extracts: digest of the content, so that identical content appends nothing (rule 28)."""
    inputs: dict[str, InputRef] = Field(default_factory=dict)
    """Dotted input table -> what was read of it."""
    ledger: str | None = None
    """File sources: path of the ledger of files read, in the table's metadata folder (rule 29)."""
    ledger_sha256: str | None = None
    source_columns: str | None = None
    """Bronze: path of the source's columns as they were last read, in the table's metadata folder (rule 29)."""
    stands_for: int | None = None
    """Set while ``main`` is a rewrite of equal content: the published snapshot that it stands for (ADR 18)."""


class StagedTable(Value):
    """One table's staging. ``staged`` equal to ``base`` never happens: a table with nothing new is not staged."""

    table: TableName
    attempt: str
    branch: str
    base: int | None
    """``main`` when the branch was cut; None only while the table has no ``main``."""
    staged: int
    state: TableState
    """What ``headwater.state`` becomes when this is published."""
    rows: int
    """Rows the staged snapshot adds (bronze) or holds (silver, gold)."""
    quarantined: int = 0
    physical: str | None = None
    """Mark of the physical table it lies in, where that one is to replace the table at publish (rule 14)."""

    @property
    def home(self) -> TableName:
        """The physical table that has the staged snapshot."""
        return self.table.at(self.physical)


class CheckResult(Value):
    """One evaluated check of a contract."""

    name: str
    type: str
    column: str | None = None
    outcome: Literal["passed", "failed", "warned", "not_evaluated", "excluded"]
    measured: float | None = None
    threshold: str = ""
    rows_failed: int | None = None
    rows_tested: int | None = None
    path: str = ""
    """Soda's relative path of the check inside the contract: stable across runs, names the DataHub assertion."""
    examples: tuple[str, ...] = ()
    """Up to five offending values or keys, masked where the column is classified."""
    predicate: str | None = None
    """Spark SQL that is true for an offending row, when the check judges rows."""


KEY_CHECK = "headwater.key"
"""Path of the check that no key or grain comes twice, which every silver and gold table with one is held to."""


class Verdict(Value):
    """A gate's answer for exactly one snapshot under exactly one contract (rule 15)."""

    table: TableName
    snapshot_id: int
    contract_hash: str
    passed: bool
    reason: str = ""
    """Why the gate stayed closed, in one line; empty when it passed."""
    checks_declared: int
    checks: tuple[CheckResult, ...] = ()
    judged_at: AwareDatetime | None = None
    accepted_by: str | None = None
    """Who let this staging through although a check failed, and why: ``<person>: <reason>`` (rule 21)."""

    @property
    def opens(self) -> bool:
        """Whether this snapshot may be published under this contract: it passed, or a person accepted it."""
        return self.passed or self.accepted_by is not None

    @property
    def rows(self) -> int | None:
        """Rows that readers take the table for: not deleted, of a history those that hold now. None: not counted."""
        return next((check.rows_tested for check in self.checks if check.path == KEY_CHECK), None)

    @property
    def is_decided(self) -> bool:
        """Whether the data was judged. A gate that closed because its engine died or a check erred was not."""
        return self.passed or any(check.outcome == "failed" for check in self.checks)
