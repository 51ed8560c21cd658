"""What a stage says it did: one line per table, and the tables readers see anew."""

from __future__ import annotations

from pydantic import Field

from headwater.domain.base import Value
from headwater.domain.names import TableName


class TableOutcome(Value):
    """One table of a stage. ``status`` is one word; ``note`` says why; ``seconds`` is 0 where nobody measured."""

    table: str
    status: str
    rows: int = 0
    seconds: float = 0.0
    note: str = ""

    def line(self) -> str:
        rows = f"{self.rows:>10,} rows" if self.rows else " " * 15
        # of a stage that does all tables at once nobody took the time of each
        took = f"{self.seconds:6.1f} s" if self.seconds else " " * 8
        return f"{self.table:<44} {self.status:<12} {rows} {took}  {self.note}".rstrip()


class ChangedTable(Value):
    """A table a publish moved; becomes one asset event (rule 39)."""

    table: TableName
    snapshot_id: int
    rows: int = 0


class StageReport(Value):
    """The answer of a stage that is green. A stage that must be red raises instead."""

    stage: str
    outcomes: tuple[TableOutcome, ...] = ()
    changed: tuple[ChangedTable, ...] = ()
    held: tuple[str, ...] = ()
    release: str | None = None
    message: str = Field(default="")

    def lines(self) -> list[str]:
        """What the task log shows."""
        lines = [outcome.line() for outcome in self.outcomes]
        lines += [f"held: {', '.join(self.held)}"] if self.held else []
        lines += [f"release {self.release}"] if self.release else []
        return [*lines, self.message] if self.message else lines
