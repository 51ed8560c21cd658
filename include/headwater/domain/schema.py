"""Columns and their types, in Iceberg's own words, free of any engine."""

from __future__ import annotations

from headwater.domain.base import Value


class Column(Value):
    """A column.

    :param type: an Iceberg type as text: ``boolean int long float double decimal(p,s) date timestamp timestamptz
        string binary uuid`` or nested ``list<…> struct<…> map<…>``. Time stamps are microseconds (rule 30).
    :param required: NOT NULL at the source. Bronze tables keep every column nullable; the contract judges.
    :param field_id: Iceberg's id in the live table; None while the column exists only at the source.
    :param source_type: what the source calls the type, for messages.
    """

    name: str
    type: str
    required: bool = False
    field_id: int | None = None
    source_type: str | None = None
    doc: str | None = None


class TableSchema(Value):
    """Columns in order; names are unique when case is ignored."""

    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column | None:
        """The column of exactly this name, or None."""
        return next((column for column in self.columns if column.name == name), None)


BRONZE_SYSTEM_COLUMNS = (
    Column(name="_hw_batch", type="long", doc="Batch the row came in; ordered by the publish guard (rule 26)."),
    Column(name="_hw_run_key", type="string", doc="Run that read the row (rule 1)."),
    Column(name="_hw_extracted_at", type="timestamptz", doc="planned_at of that run."),
    Column(name="_hw_op", type="string", doc="r read, c created, u updated, d deleted, t truncated."),
    Column(name="_hw_position", type="string", doc="Sortable place of the row in its source (rule 27)."),
    Column(name="_hw_origin", type="string", doc="Where the row was read: connection and relation, or the file."),
)

CHANGE_COLUMNS = (
    Column(name="_hw_event_at", type="timestamptz", doc="When the source committed the change, by its own clock."),
    Column(name="_hw_carried", type="list<string>", doc="Columns whose value the event tells, NULL included."),
    Column(
        name="_hw_unavailable",
        type="list<string>",
        doc="Columns the event leaves as they were: TOAST placeholders, and what a partial update does not mention.",
    ),
    Column(name="_hw_old_key", type="string", doc="Key change: the row's key before, as JSON text by column name."),
)
"""What bronze holds of a stream of changes beside ``BRONZE_SYSTEM_COLUMNS`` (``silver: {mode: cdc}``).

The source's own columns hold the after image; of a deletion (``d``) the key alone, of a truncation (``t``) nothing. A
column that is neither carried nor unavailable did not exist when the event was written. A key change is two rows of
one position: ``d`` of the old key, and ``c`` of the new one with ``_hw_old_key``.
"""

QUARANTINE_COLUMNS = (
    Column(name="_hw_id", type="string", doc="sha256 of table, payload and origin: the row's identity (rule 40)."),
    Column(name="_hw_table", type="string", doc="Dotted table the row was meant for."),
    Column(name="_hw_reason", type="string", doc="What is wrong with the row, in words."),
    Column(name="_hw_rules", type="string", doc="Names of all broken rules, separated by commas."),
    Column(name="_hw_payload", type="string", doc="The raw row as JSON text; extraction rejects hold the only copy."),
    Column(name="_hw_key", type="string", doc="The row's key as JSON text, or null where it cannot be read."),
    Column(name="_hw_position", type="string", doc="Original position of the row, kept by a replay (rule 27)."),
    Column(name="_hw_batch", type="long", doc="Batch the row came in."),
    Column(name="_hw_run_key", type="string", doc="Run that set the row aside."),
    Column(name="_hw_origin", type="string", doc="Where the row was read: connection and relation, or file and line."),
    Column(name="_hw_detected_at", type="timestamptz", doc="planned_at of the run that set the row aside."),
)
"""The one form of every quarantine table, written by extractors and by Spark alike (rule 40)."""
