"""``evolve``: what the alert of a drifted schema says, as one command."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated

import typer

from headwater.cli.opening import repository
from headwater.domain.errors import NotFoundError


def evolve(
    source: Annotated[str, typer.Argument(help="Source: the YAML's stem.")],
    table: Annotated[str, typer.Argument(help="Table that takes new columns and wider types from now on.")],
) -> None:
    """Write `drift: evolve` into a table's entry of its source's YAML, and show the line."""
    from headwater.model.layout import Layout
    from headwater.model.table_edit import with_table_key

    layout = Layout(repository())
    file = next((path for path in layout.source_files() if path.stem == source), None)
    if file is None:
        known = ", ".join(path.stem for path in layout.source_files())
        raise NotFoundError(f"There is no source {source}.", allowed=known or "no source is there")
    before = file.read_text(encoding="utf-8")
    after = with_table_key(before, layout.display(file), table, "drift", "evolve")
    _replace(file, after)
    name = layout.display(file)
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, n=2, lineterm="")
    typer.echo("\n".join(lines) or f"{name} says `drift: evolve` for {table} already")


def _replace(file: Path, text: str) -> None:
    """In one step: the DAG processor never reads half a file."""
    draft = file.with_name(f".{file.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.chmod(file.stat().st_mode)
    draft.replace(file)
