"""The schema of the run store's database."""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from headwater.adapters.run_store import SqlRunStore, migrate, open_engine
from headwater.adapters.run_store.tables import METADATA
from headwater.domain.errors import RunStoreError


def test_the_migrations_build_the_tables_the_store_uses(url: str) -> None:
    migrate(url)
    engine = open_engine(url)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _ours})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def _ours(name: str | None, kind: str, parents: object) -> bool:
    return kind != "table" or name in METADATA.tables


def test_processes_may_migrate_at_once(url: str) -> None:
    # not forks of this process: what tests before left in it, gRPC above all, may hold one up for half a minute
    code = "import sys; from headwater.adapters.run_store import migrate; migrate(sys.argv[1])"
    processes = [subprocess.Popen([sys.executable, "-c", code, url]) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    migrate(url)
    engine = open_engine(url)
    assert set(METADATA.tables) <= set(inspect(engine).get_table_names())
    engine.dispose()


def test_a_database_that_is_up_to_date_costs_no_import_of_alembic(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command migrates first, and most find nothing to do."""
    migrate(url)
    monkeypatch.setitem(sys.modules, "alembic", None)
    migrate(url)
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    with pytest.raises(ImportError):
        migrate(url)
    engine.dispose()


def test_a_database_without_tables_is_explained(url: str) -> None:
    store = SqlRunStore(url)
    with pytest.raises(RunStoreError) as failed:
        store.installation()
    assert "migrated" in str(failed.value.remedy)
    store.close()
