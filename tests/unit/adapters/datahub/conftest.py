"""One run of the flights source, as facts."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.domain.lineage import RunFacts


@pytest.fixture
def run_facts() -> RunFacts:
    document = Path(__file__).with_name("flights_run.json")
    return RunFacts.model_validate_json(document.read_text(encoding="utf-8"))
