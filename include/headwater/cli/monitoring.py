"""``monitoring``: rules and dashboards for the metrics Headwater sends."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headwater.cli.output import console


def register(app: typer.Typer) -> None:
    app.command()(monitoring)


def monitoring(folder: Annotated[Path, typer.Argument(help="Where to write them.")]) -> None:
    """Write Prometheus rules and Grafana dashboards, made from the metrics that are sent."""
    from headwater.adapters.monitoring import monitoring_files

    for name, text in monitoring_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        console().print(str(path), highlight=False, soft_wrap=True)
