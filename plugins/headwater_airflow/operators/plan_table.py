"""A plan as people read it in the log of ``plan_run``."""

from __future__ import annotations

import json

from headwater.domain.names import Layer
from headwater.domain.run import RunPlan, Window
from headwater.domain.spec import PipelineSpec, SourceSpec, SqlExtract
from headwater.services.changes import change_remedy
from headwater.services.context import RunContext

MAX_ITEMS = 5


def plan_lines(run: RunContext, plan: RunPlan) -> list[str]:
    """One line per table with the window it will read, or per input of a product."""
    from headwater.model.gold_modes import route

    lines = [f"plan of {run.spec.name} at {plan.planned_at.isoformat(timespec='seconds')} ({plan.kind.value})"]
    width = max((len(name) for name in (*(t.table for t in plan.tables), *plan.inputs)), default=0)
    for table in plan.tables:
        told = _window(table.window, _cursor(run.spec, table.table))
        lines.append(f"  {table.table:<{width}}  batch {table.batch:>4}  {told}")
    lines += [f"  {name:<{width}}  at snapshot {snapshot}" for name, snapshot in plan.inputs.items()]
    lines += [f"  builds {run.spec.name_of(Layer.GOLD, gold.name).dotted}: {route(gold)}" for gold in run.spec.gold]
    for change in plan.changes:
        remedy = change_remedy(run.spec, change)
        lines.append(f"  {change.text}" + (f"; held: {remedy}" if remedy else ""))
    return lines


def _cursor(spec: PipelineSpec, table: str) -> str:
    extract = spec.table(table).extract if isinstance(spec, SourceSpec) else None
    return extract.cursor if isinstance(extract, SqlExtract) and extract.cursor else "cursor"


def _path(item: str) -> str:
    """A file of a window by its path; what else is planned of it (size, hash) tells people nothing."""
    found = json.loads(item) if item.startswith("{") else {}
    return str(found.get("path", item))


def _window(window: Window, cursor: str) -> str:
    if window.kind == "files":
        count, shown = len(window.items), [_path(item) for item in window.items[:MAX_ITEMS]]
        more = f" and {count - MAX_ITEMS} more" if count > MAX_ITEMS else ""
        text = f"{count} file{'' if count == 1 else 's'}: {', '.join(shown)}{more}"
    elif window.kind == "incremental":
        text = f"{cursor} in ({window.low or 'the beginning'}, {window.high or 'the end'}]"
    else:
        text = {"snapshot": "the whole table", "job": "what its job delivers"}.get(window.kind, "nothing new")
    odd = [(window.null_cursors, "without a cursor"), (window.future_cursors, "with a cursor in the future")]
    notes = [f"{count} rows {what}" for count, what in odd if count] + ([window.note] if window.note else [])
    return "; ".join([text, *notes])
