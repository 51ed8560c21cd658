"""Runbooks as files of the repository."""

from __future__ import annotations

from pathlib import Path

from headwater.services.incidents.runbook import Runbook, parse_runbook


def load_runbooks(folder: Path) -> dict[str, Runbook]:
    """Every runbook of ``include/runbooks`` by code. :raises SpecError: naming the file and what is wrong in it."""
    return {file.stem: parse_runbook(file.read_text(encoding="utf-8"), file) for file in sorted(folder.glob("*.md"))}
