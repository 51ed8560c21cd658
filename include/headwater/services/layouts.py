"""A layout that was changed in the YAML after its table was created: said, never silently ignored."""

from __future__ import annotations

from headwater.domain.table_layout import TableLayout
from headwater.ports.catalog import TableHead


def layout_to_change(head: TableHead | None, declared: TableLayout) -> TableLayout | None:
    """The layout the table was created with, where it is another than the declared one."""
    if head is None or head.main is None or head.layout == declared:
        return None
    return head.layout


def layout_note(head: TableHead | None, declared: TableLayout) -> str:
    """What is announced of a silver table whose declared layout is not the one it has; empty when all is well."""
    if layout_to_change(head, declared) is None or head is None:
        return ""
    parts = [*declared.partition_by, *(f"sorted by {field}" for field in declared.sort_by)]
    wanted = ", ".join(parts) or "no partitions, no order"
    return f"declared layout ({wanted}) is not the table's yet: `headwater rebuild {head.table.dotted}` applies it"
