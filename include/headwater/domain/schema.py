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
