"""Opening the run store's database and bringing its schema up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 0x6865_6164_7761
"""Any number, the same in every process: ``headwa`` in ASCII."""
_BUSY_SECONDS = 30
_ASLEEP_SECONDS = 60


def open_engine(url: str) -> Engine:
    """An engine for short task processes: few connections, opened when needed, each tested before it is used again."""
    if make_url(url).get_backend_name() != "sqlite":
        # a process that falls asleep in a transaction holds locks others wait for: the database ends its session
        asleep = {"options": f"-c idle_in_transaction_session_timeout={_ASLEEP_SECONDS}s"}
        return create_engine(
            url, pool_size=2, max_overflow=6, pool_pre_ping=True, pool_recycle=600, connect_args=asleep
        )
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: Any) -> None:
    # SQLAlchemy's documented way out of the driver's habit to begin a transaction only at the first write
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # takes the write lock at once: a transaction that reads, then writes, can neither be overtaken nor deadlock
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def migrate(url: str) -> None:
    """Bring the database to the newest revision; several processes may call this at once, and do nothing twice."""
    engine = open_engine(url)
    try:
        if not _is_newest(engine):
            _upgrade(engine)
    finally:
        engine.dispose()


def _is_newest(engine: Engine) -> bool:
    newest = max(path.stem[1:5] for path in (_MIGRATIONS / "versions").glob("v*.py"))
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [newest]


def _upgrade(engine: Engine) -> None:
    from alembic import command  # half a second that only a migration should pay
    from alembic.config import Config

    config = Config()
    # % would be read as interpolation
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
