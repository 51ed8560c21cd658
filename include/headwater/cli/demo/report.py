"""What the demo shows at its end: layers, lineage, and a query to paste."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from headwater.cli.demo.running import seconds_of
from headwater.cli.lineage_tree import lineage_graph
from headwater.cli.output import console, print_table
from headwater.domain.names import Layer

if TYPE_CHECKING:
    from headwater.adapters.platform import LocalPlatform
    from headwater.cli.demo.proof import Proof
    from headwater.ports.airflow_api import AirflowApi, DagRun

QUERY = """uv run headwater query "select carrier_name, sum(flights) as flights, sum(delayed) as delayed \
from gold.flights.daily_departures group by carrier_name order by flights desc limit 5\""""
_LAYER_OF = {
    "extract_to_bronze": Layer.BRONZE, "validate_bronze": Layer.BRONZE, "publish_bronze": Layer.BRONZE,
    "refine_to_silver": Layer.SILVER, "validate_silver": Layer.SILVER,
    "build_gold": Layer.GOLD, "validate_gold": Layer.GOLD,
}  # fmt: skip

Seconds = Mapping[tuple[str, Layer], float]


def seconds_by_layer(api: AirflowApi, runs: Sequence[DagRun]) -> dict[tuple[str, Layer], float]:
    """(pipeline, layer) -> seconds from the first task's start to the last one's end in these runs."""
    spent: dict[tuple[str, Layer], float] = {}
    for run in runs:
        for task in api.tasks(run.dag_id, run.run_id):
            layer = _LAYER_OF.get(task.task_id)
            if layer is not None:
                spent[run.dag_id, layer] = spent.get((run.dag_id, layer), 0.0) + seconds_of(task)
    return spent


def print_layers(platform: LocalPlatform, spent: Seconds) -> None:
    """Every released table with its rows, release, quality and its layer's seconds."""
    found = [(release, item) for release in platform.runs.current() for item in release.tables]
    order = {layer: at for at, layer in enumerate(Layer)}
    rows = []
    for release, item in sorted(found, key=lambda pair: (order[pair[1].table.layer], pair[1].table.dotted)):
        seconds = spent.get((release.pipeline, item.table.layer))
        verdict = platform.runs.verdict(item.table, item.snapshot_id)
        passed = sum(1 for check in verdict.checks if check.outcome == "passed") if verdict else 0
        quality = f"{passed} of {verdict.checks_declared} checks" if verdict else "–"
        rows.append((item.table.dotted, item.rows, release.id, quality, None if seconds is None else f"{seconds:.1f}"))
    print_table("Layers", ["table", "rows", "release", "quality", "seconds"], rows, "Nothing was released.")


def print_lineage(platform: LocalPlatform) -> None:
    """Where the product comes from."""
    graph = lineage_graph(platform.model.pipelines(), platform.connections)
    console().print(graph.tree("gold.flight_delays_by_weather.hourly_delays"))


def print_proofs(proofs: Sequence[Proof]) -> bool:
    """Comparisons with the source; returns whether all hold."""
    rows = [("✓" if proof.holds else "✗", proof.what, proof.at_source, proof.released) for proof in proofs]
    print_table("Against SQL over the source", ["", "", "at the source", "released"], rows)
    return all(proof.holds for proof in proofs)
