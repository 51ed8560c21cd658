"""A plan as people read it in the log of ``plan_run``."""

from __future__ import annotations

from headwater.domain.names import Layer
from headwater.domain.run import RunPlan, Window
from headwater.services.changes import change_remedy
from headwater.services.context import RunContext

MAX_ITEMS = 5


def plan_lines(run: RunContext, plan: RunPlan) -> list[str]:
    """One line per table with the window it will read, or per input of a product."""
    from headwater.model.gold_modes import route

    lines = [f"plan of {run.spec.name} at {plan.planned_at.isoformat(timespec='seconds')} ({plan.kind.value})"]
    width = max((len(name) for name in (*(t.table for t in plan.tables), *plan.inputs)), default=0)
    lines += [f"  {table.table:<{width}}  batch {table.batch:>4}  {_window(table.window)}" for table in plan.tables]
    lines += [f"  {name:<{width}}  at snapshot {snapshot}" for name, snapshot in plan.inputs.items()]
    lines += [f"  builds {run.spec.name_of(Layer.GOLD, gold.name).dotted}: {route(gold)}" for gold in run.spec.gold]
    for change in plan.changes:
        remedy = change_remedy(run.spec, change)
        lines.append(f"  {change.text}" + (f"; held: {remedy}" if remedy else ""))
    return lines


def _window(window: Window) -> str:
    if window.kind == "files":
        more = f" and {len(window.items) - MAX_ITEMS} more" if len(window.items) > MAX_ITEMS else ""
        text = f"{len(window.items)} files: {', '.join(window.items[:MAX_ITEMS])}{more}"
    elif window.kind == "incremental":
        text = f"cursor in ({window.low or 'the beginning'}, {window.high or 'the end'}]"
    else:
        text = {"snapshot": "the whole table", "job": "what its job delivers"}.get(window.kind, "nothing new")
    odd = [(window.null_cursors, "without a cursor"), (window.future_cursors, "with a cursor in the future")]
    notes = [f"{count} rows {what}" for count, what in odd if count] + ([window.note] if window.note else [])
    return "; ".join([text, *notes])
