"""docs/operations/backup-and-restore.md on a cluster: backed up, archived, restored to an instant, exactly."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial

import pytest
from tests.integration.storage.secured_stores import SecuredStores
from tests.kubernetes.conftest import DEPLOY
from tests.kubernetes.node.database.server import Server

ROWS = "SELECT count(*), coalesce(max(id), 0) FROM kept"
LOGINS = {"run_store": "run_store", "catalog": "catalog", "catalog_reader": "catalog", "airflow": "airflow"}


def write(postgres: Server, rows: int) -> None:
    """One commit each, in both databases that a restore has to bring to one instant."""
    for database in ("run_store", "catalog"):
        with postgres.session(database, database) as session:
            session.execute("CREATE TABLE IF NOT EXISTS kept (id bigserial PRIMARY KEY)")
            for _ in range(rows):
                session.execute("INSERT INTO kept DEFAULT VALUES")


def rows(postgres: Server) -> list[tuple[int, int]]:
    found = []
    for database in ("run_store", "catalog"):
        with postgres.session(database, database) as session:
            found += session.execute(ROWS).fetchall()
    return found


def archived(postgres: Server, segment: str) -> bool | None:
    return True if postgres.within("SELECT last_archived_wal FROM pg_stat_archiver") >= segment else None


@pytest.fixture(scope="module")
def restored(postgres: Server) -> Server:
    """To the instant between 20 rows and 30 more; a base backup was made after the first ten."""
    postgres.archives()
    write(postgres, 10)
    postgres.back_up()
    write(postgres, 10)
    at = postgres.within("SELECT now()")
    # an instant that no commit shares
    time.sleep(0.1)
    write(postgres, 30)
    segment = postgres.within("SELECT pg_walfile_name(pg_switch_wal())")
    postgres.node.processes.wait_for(partial(archived, postgres, segment), "the last rows are not archived")
    script = [sys.executable, "-I", str(DEPLOY / "restored_cluster.py"), "--at", at]
    told = subprocess.run(script, input=postgres.as_seen(), capture_output=True, text=True, check=True)
    return postgres.restored(told.stdout)


def test_both_databases_are_brought_back_to_the_instant(postgres: Server, restored: Server) -> None:
    assert rows(restored) == [(20, 20), (20, 20)]
    assert rows(postgres) == [(50, 50), (50, 50)], "the lost one stays as it is"


def test_every_login_comes_in_by_the_new_name_over_tls(restored: Server) -> None:
    for login, database in LOGINS.items():
        with restored.session(login, database) as session:
            asked = "SELECT current_user, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            assert session.execute(asked).fetchone() == (login, True)


def test_it_archives_beside_the_lost_ones_archive(stores: SecuredStores, restored: Server) -> None:
    restored.archives()
    found = stores.s3.client().list_objects_v2(Bucket="headwater-backups", Prefix="postgres/")["Contents"]
    folders = {(item["Key"].split("/")[1], item["Key"].split("/")[2]) for item in found}
    lost = {("headwater-postgres", "base"), ("headwater-postgres", "wals")}
    assert folders == lost | {("headwater-postgres-restored", "wals")}
