"""A small source and the repository that declares it, as a source developer would push it."""

from __future__ import annotations

from pathlib import Path

from tests.integration.storage.tls_postgres import TlsPostgres

from headwater.adapters.embedded.bare_repository import BareRepository
from headwater.cli.demo import pushed_files

ROOT = Path(__file__).resolve().parents[4]
SOURCE = "carriers"
ROWS = {"AA": "American Airlines Inc.", "AS": "Alaska Airlines Inc.", "B6": "JetBlue Airways"}


def fill(postgres: TlsPostgres) -> None:
    """The table that the source reads."""
    with postgres.session("source") as session:
        session.execute("CREATE TABLE airlines (carrier text PRIMARY KEY, name text NOT NULL)")
        for row in ROWS.items():
            session.execute("INSERT INTO airlines VALUES (%s, %s)", row)


def push(repository: BareRepository) -> str:
    """Every thin DAG file, the runbooks and the source with a gold table; returns the commit."""
    thin = {f"dags/{path.name}": path.read_text() for path in (ROOT / "dags").glob("*.py")}
    runbooks = {f"include/runbooks/{path.name}": path.read_text() for path in (ROOT / "include/runbooks").glob("*")}
    declared = pushed_files.source(SOURCE) | pushed_files.with_gold(SOURCE)
    with repository.checkout() as clone:
        return clone.push("A source", thin | runbooks | declared)
