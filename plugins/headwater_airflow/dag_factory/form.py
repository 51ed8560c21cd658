"""The typed form a person starts a run with; ``operators/request.py`` reads it back and trusts none of it."""

from __future__ import annotations

from airflow.sdk import Param

from headwater.domain.names import Layer
from headwater.domain.spec import PipelineSpec, SourceSpec

REASON_MAX_LENGTH = 500


def run_form(spec: PipelineSpec) -> dict[str, Param]:
    """Parameters of a run: the only things a run may change (rule 4). Products take no window: they read releases."""
    form = _source_form(spec) if isinstance(spec, SourceSpec) else {}
    form["full_refresh"] = Param(
        False,
        type="boolean",
        title="Full refresh",
        description_md="Make every table anew from all there is. Readers keep the old data until it is published.",
        section="What the run does",
    )
    form |= _rebuild_form(spec)
    form["dry_run"] = Param(
        False,
        type="boolean",
        title="Dry run",
        description_md="Only show the plan in the log of `plan_run`. Nothing is read or written.",
        section="What the run does",
    )
    form["reason"] = reason()
    return form


def reason() -> Param:
    """Why somebody starts a run."""
    return Param(
        "",
        type=["string", "null"],
        maxLength=REASON_MAX_LENGTH,
        title="Reason",
        description_md="Why you start it; kept with the run and its release.",
        section="Why",
    )


def _rebuild_form(spec: PipelineSpec) -> dict[str, Param]:
    silver = spec.tables if isinstance(spec, SourceSpec) else ()
    tables = [spec.name_of(Layer.SILVER, table.name).dotted for table in silver]
    tables += [spec.name_of(Layer.GOLD, gold.name).dotted for gold in spec.gold]
    return {
        "rebuild": Param(
            [],
            type=["array", "null"],
            items={"type": "string", "enum": tables},
            examples=tables,
            uniqueItems=True,
            title="Rebuild",
            description_md="Derive these tables again, silver from bronze, gold from silver. The source is not read.",
            section="What the run does",
        ),
        "rebuild_from": Param(
            None,
            type=["string", "null"],
            title="Rebuild from",
            description_md="Silver only: a batch (`17`) or a date (`2026-03-31`). Only keys that rows of then or later "
            "concern are derived again. Empty: everything.",
            section="What the run does",
        ),
    }


def _source_form(spec: SourceSpec) -> dict[str, Param]:
    names = [table.name for table in spec.tables]
    return {
        "tables": Param(
            [],
            type=["array", "null"],  # with null the form does not mark it as required
            items={"type": "string", "enum": names},
            examples=names,
            uniqueItems=True,
            title="Tables",
            description_md="Leave empty for all tables.",
            section="What the run reads",
        ),
        "window_from": _instant("Window from", "Read again from this instant on (UTC); empty: where it stopped."),
        "window_to": _instant("Window to", "Read up to, not including, this instant (UTC); empty reads to the end."),
    }


def _instant(title: str, text: str) -> Param:
    return Param(
        None,
        type=["string", "null"],
        format="date-time",
        title=title,
        description_md=text,
        section="What the run reads",
    )
