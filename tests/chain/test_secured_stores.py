"""The whole spine on S3 and a catalog behind TLS and a password, with a store that throttles all the while."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
from tests.chain.installation import Installation
from tests.integration.storage.s3_proxy import S3Proxy
from tests.integration.storage.tls_postgres import PASSWORD

from headwater.adapters.duckdb.query import query
from headwater.domain.maintenance import MaintenanceSettings, Step, Upkeep
from headwater.domain.names import MAINTENANCE, TableName
from headwater.domain.run import RunKey
from headwater.domain.staging import branch_of, new_attempt
from headwater.services.maintenance.table import maintain_table
from headwater.services.rollback import rollback

pytestmark = pytest.mark.timeout(600)

GOLD = "SELECT sum(flights)::BIGINT AS n, sum(cancelled)::BIGINT AS c FROM gold.flights.daily_departures"
BRONZE, SILVER = (TableName.parse(f"{layer}.flights.flights") for layer in ("bronze", "silver"))
OF_BRONZE = "SELECT count(*) AS n FROM bronze.flights.flights"
FLIGHTS = "SELECT count(*) AS n, sum(distance)::BIGINT AS miles FROM silver.flights.flights"


def rows(installation: Installation, sql: str) -> tuple[Any, ...]:
    """A query over the current releases, as ``headwater query`` does it."""
    platform, catalog = installation.fresh(), installation.settings.catalog
    return query(sql, platform.runs.current(), catalog.warehouse, s3=catalog.s3).rows[0]


def at_the_source(installation: Installation) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    gold = installation.source("SELECT count(*), count(*) FILTER (WHERE dep_time IS NULL) FROM flights")[0]
    return gold, installation.source("SELECT count(*), sum(distance) FROM flights")[0]


def test_from_extract_to_rollback(secured: Installation, throttling: S3Proxy) -> None:
    """Rules 16, 17, 19, 22; and no secret on a command line or in what the run leaves behind (rule 42)."""
    secured.source("DELETE FROM flights WHERE time_hour >= '2013-01-02'")
    before = at_the_source(secured)
    assert set(secured.run("flights", "r1", tables=["flights", "airlines"]).values()) == {"success"}
    assert (rows(secured, GOLD), rows(secured, FLIGHTS)) == before
    first = next(item for item in secured.fresh().runs.releases() if item.scope == "audited")
    commands = [_command_of(process) for process in psutil.Process().children(recursive=True)]

    secured.source("DELETE FROM flights WHERE flight % 10 = 0")
    secured.source("UPDATE flights SET distance = distance + 1, updated_at = updated_at + interval '1 day'")
    changed = at_the_source(secured)[1][1]
    assert set(secured.run("flights", "r2", tables=["flights"]).values()) == {"success"}
    assert rows(secured, FLIGHTS)[1] != before[1][1], changed

    changed_rows = rows(secured, FLIGHTS)
    assert _maintained(secured, SILVER, "30d", "files")["files"].files == 2, "a file and one that deletes of it"
    assert rows(secured, FLIGHTS) == changed_rows
    (read_twice,) = rows(secured, OF_BRONZE)
    platform = secured.fresh()
    key = RunKey(installation="test", dag_id="cli", run_id=uuid4().hex)
    rollback(
        platform.runs, platform.catalog, platform.clock, platform.run_states, first.id, run_key=str(key), holder="test"
    )
    assert (rows(secured, GOLD), rows(secured, FLIGHTS)) == before
    assert throttling.refused > 5
    _maintain_bronze(secured, throttling)
    assert (rows(secured, GOLD), rows(secured, FLIGHTS)) == before
    assert rows(secured, OF_BRONZE) == (read_twice,)

    s3 = secured.settings.catalog.s3
    assert s3 is not None
    key_of_s3 = s3.secret_access_key.get_secret_value()
    assert any("pyspark-shell" in command for command in commands)
    for secret in (PASSWORD, key_of_s3):
        assert not any(secret in command for command in commands)
        left = [path for path in Path(secured.settings.home).rglob("*") if path.is_file() and _holds(path, secret)]
        assert all(path.stat().st_mode & 0o077 == 0 for path in left), left


def _maintained(secured: Installation, table: TableName, retention: str, *steps: Step) -> dict[Step, Upkeep]:
    """What each step did."""
    platform = secured.fresh(maintenance=MaintenanceSettings(retention=retention, min_input_files=2))
    key = RunKey(installation="test", dag_id=MAINTENANCE, run_id=uuid4().hex)
    done = {item.step: item for item in maintain_table(platform, table, run_key=str(key), holder="m", steps=steps)}
    assert {item.status for item in done.values()} == {"done"}, done
    return done


def _maintain_bronze(secured: Installation, store: S3Proxy) -> None:
    """Rules 24, 29, 41 with every object listed as old: only what is referred to keeps a file from being deleted."""
    store.listed_at = "2000-01-01T00:00:00.000Z"
    catalog, branch = secured.fresh().catalog, branch_of(new_attempt())
    head = catalog.head(BRONZE)
    assert head is not None
    catalog.cut_branch(BRONZE, branch, head.main)
    ledger = catalog.write_attachment(BRONZE, "kept.json", b"{}")
    bucket, _, key = f"{head.location}/data/nobodys.parquet".removeprefix("s3://").partition("/")
    stored = store.upstream.client()
    stored.put_object(Bucket=bucket, Key=key, Body=b"x")
    done = _maintained(secured, BRONZE, "1s", "branches", "files", "snapshots", "orphans")
    assert (done["branches"].branches, done["files"].files) == (1, 2)
    assert done["snapshots"].snapshots > 0
    assert any(path.endswith("nobodys.parquet") for path in done["orphans"].paths)
    assert catalog.read_attachment(ledger) == b"{}", "nobody names it, and it is no file of Iceberg's"
    with pytest.raises(stored.exceptions.ClientError):
        stored.head_object(Bucket=bucket, Key=key)


def _command_of(process: psutil.Process) -> str:
    """The database's workers come and go: one that ended since it was listed shows nothing to anybody."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _holds(path: Path, secret: str) -> bool:
    """Spark's files of the moment go while we look."""
    try:
        return secret.encode() in path.read_bytes()
    except FileNotFoundError:
        return False
