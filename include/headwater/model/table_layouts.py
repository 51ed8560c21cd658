"""Whether a declared layout fits its table and leaves alone what Headwater itself relies on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from headwater.domain.table_layout import TableLayout
from headwater.model.schedules import Finding

ALLOWED_PROPERTIES = (
    "write.parquet.",
    "write.metadata.metrics.",
    "write.object-storage.",
    "write.merge.mode",
    "write.update.mode",
    "write.delete.mode",
    "write.distribution-mode",
    "write.target-file-size-bytes",
    "write.delete.target-file-size-bytes",
    "read.split.",
)
"""Everything else belongs to Headwater (state, retries, what releases and expiry rely on) or to the catalog."""


def layout_findings(layout: TableLayout) -> Iterator[Finding]:
    """Layouts that contradict themselves; paths start at the layout."""
    yield from _twice("partition_by", [f"{field.transform or ''} {field.column}" for field in layout.partitions])
    yield from _twice("sort_by", [field.column for field in layout.sorts])
    for name in layout.properties:
        if not name.startswith(ALLOWED_PROPERTIES):
            allowed = ", ".join(f"{word}…" if word.endswith(".") else word for word in ALLOWED_PROPERTIES)
            yield ("properties", name), "this property is not yours to set", repr(name), allowed


def column_findings(layout: TableLayout, columns: Iterable[str]) -> Iterator[Finding]:
    """Columns of the layout that the table does not have.

    :param columns: names of the table's columns.
    """
    known = tuple(columns)
    wanted: list[tuple[str, Sequence[str]]] = [
        ("partition_by", [field.column for field in layout.partitions]),
        ("sort_by", [field.column for field in layout.sorts]),
    ]
    for key, names in wanted:
        for index, name in enumerate(names):
            if name.lower() not in {column.lower() for column in known}:
                yield (key, index), f"the table has no column {name!r}", repr(name), ", ".join(known)


def _twice(key: str, names: Sequence[str]) -> Iterator[Finding]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield (key, index), "this is in the list twice", repr(name.strip()), "each once"
