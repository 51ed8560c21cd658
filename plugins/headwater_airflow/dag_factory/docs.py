"""What a DAG's page says: what, when, who, which tables, and where the remedies are."""

from __future__ import annotations

from headwater.domain.duration import format_duration
from headwater.domain.names import Layer
from headwater.domain.spec import PipelineSpec, SourceSpec
from headwater_airflow.dag_factory.schedules import schedule_text


def dag_document(spec: PipelineSpec, file: str) -> str:
    """Markdown that depends on the YAML alone, so that equal files give equal DAG versions."""
    owner = ", ".join(filter(None, (spec.owner.team, *spec.owner.email, spec.owner.slack or "")))
    lines = [
        spec.description,
        "",
        f"- **When:** {schedule_text(spec.schedule)}",
        f"- **Who:** {owner}",
        f"- **Declared in:** `{file}`",
    ]
    if isinstance(spec, SourceSpec):
        lines.append(f"- **Reads:** connection `{spec.connection}`")
    lines += _freshness(spec)
    lines += ["", "| table | how | key or grain |", "|---|---|---|", *_tables(spec), ""]
    lines += [
        "A run stages on a branch, gates judge exactly what was staged, and a publish shows all tables at one instant.",
        "A table whose gate stays closed is held; its neighbours go on and readers keep its last release.",
        "",
        "**When it breaks:** open *Incident* on the red task; the alert carries numbered steps from",
        "`include/runbooks/<cause>.md`. *Release* shows what readers see.",
    ]
    return "\n".join(lines)


def _freshness(spec: PipelineSpec) -> list[str]:
    limits = [(layer, getattr(spec.freshness, layer)) for layer in ("bronze", "silver", "gold")]
    text = ", ".join(f"{layer} {format_duration(limit)}" for layer, limit in limits if limit is not None)
    return [f"- **Alerts when older than:** {text}"] if text else []


def _tables(spec: PipelineSpec) -> list[str]:
    rows = []
    if isinstance(spec, SourceSpec):
        for table in spec.tables:
            name = spec.name_of(Layer.SILVER, table.name).dotted
            how = f"{table.extract.kind} {table.extract.mode} → {table.silver.mode}"
            rows.append(f"| `{name}` | {how} | {_columns(table.key)} |")
    golds = ((spec.name_of(Layer.GOLD, gold.name).dotted, gold) for gold in spec.gold)
    return [*rows, *(f"| `{name}` | {gold.mode} | {_columns(gold.grain)} |" for name, gold in golds)]


def _columns(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
