"""A real Trino on loopback, with the catalog of helm-values as it stands there, and a client for its statements.

``HEADWATER_TRINO_HOME`` is an unpacked ``trino-server-<version>``, ``HEADWATER_TRINO_JAVA`` the Java that runs it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from psycopg import sql
from tests.integration.storage.secured_stores import SecuredStores

from headwater.adapters.embedded.postgres_files import free_port
from headwater.adapters.java_trust import TRUST_STORE, write_trust_store
from headwater.domain.settings import CatalogSettings

HOME, JAVA = "HEADWATER_TRINO_HOME", "HEADWATER_TRINO_JAVA"
VALUES = Path(__file__).parents[2] / "helm-values" / "common" / "trino.yaml"
READER, READER_PASSWORD = "catalog_reader", "r3ader-of-the-catalog"
_CONFIG = """coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port={port}
discovery.uri=http://127.0.0.1:{port}
query.max-memory=600MB
query.max-memory-per-node=600MB
memory.heap-headroom-per-node=200MB
"""
_JVM = """-server
-Xmx1500M
-XX:+UseG1GC
-XX:TieredStopAtLevel=1
-Djdk.attach.allowAttachSelf=true
-Djdk.nio.maxCachedBufferSize=2000000
-Dfile.encoding=UTF-8
"""
_SOON_BETTER = {"NO_NODES_AVAILABLE", "SERVER_STARTING_UP"}


class TrinoRefusedError(Exception):
    """Trino's own words, after its name for the error."""


class Trino:
    """A client; rows come as JSON has them."""

    def __init__(self, port: int) -> None:
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"X-Trino-User": "analyst"})

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement, again as long as no node has said that it works. :raises TrinoRefusedError:"""
        until = time.monotonic() + 60
        while True:
            found, error = self._once(statement)
            if error is None:
                return found
            if error["errorName"] not in _SOON_BETTER or time.monotonic() > until:
                raise TrinoRefusedError(f"{error['errorName']}: {error['message']}")
            time.sleep(0.2)

    def started(self) -> bool:
        try:
            return self._client.get("/v1/info").json()["starting"] is False
        except httpx.TransportError:
            return False

    def close(self) -> None:
        self._client.close()

    def _once(self, statement: str) -> tuple[list[tuple[Any, ...]], dict[str, Any] | None]:
        answer = self._client.post("/v1/statement", content=statement.encode(), timeout=60).raise_for_status().json()
        found = [tuple(row) for row in answer.get("data", ())]
        while "nextUri" in answer:
            answer = self._client.get(answer["nextUri"], timeout=60).raise_for_status().json()
            found += [tuple(row) for row in answer.get("data", ())]
        return found, answer.get("error")


@contextmanager
def reading(stores: SecuredStores, catalog: CatalogSettings) -> Iterator[Trino]:
    """Trino over this catalog, as a login of Postgres that may only read; gone afterwards."""
    home, java, port = Path(os.environ[HOME]), Path(os.environ[JAVA]), free_port()
    with tempfile.TemporaryDirectory(prefix="headwater-trino-") as scratch:
        folder, authority = Path(scratch), stores.s3.authority.ca
        write_trust_store(java, authority, folder / TRUST_STORE)
        _configure(folder, port)
        environment = os.environ | _secrets(stores, catalog) | {"JAVA_HOME": str(java)}
        environment["PATH"] = f"{java}/bin:{environment['PATH']}"
        command = [str(home / "bin" / "launcher"), "run", "--etc-dir", str(folder / "etc")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        trino = Trino(port)
        try:
            _await(trino, process, folder / "log")
            yield trino
        finally:
            trino.close()
            process.terminate()
            process.wait(60)


def _configure(folder: Path, port: int) -> None:
    etc = folder / "etc"
    (etc / "catalog").mkdir(parents=True)
    node = {"environment": "test", "id": "n1", "data-dir": folder / "data", "bind-ip": "127.0.0.1"}
    node |= {"internal-address": "127.0.0.1"}
    (etc / "node.properties").write_text("".join(f"node.{key}={value}\n" for key, value in node.items()))
    (etc / "config.properties").write_text(_CONFIG.format(port=port))
    (etc / "log.properties").write_text("io.trino=WARN\n")
    values = yaml.safe_load(VALUES.read_text())
    trusting = "\n".join(values["coordinator"]["additionalJVMConfig"]).replace("/trusted/", f"{folder}/")
    (etc / "jvm.config").write_text(f"{_JVM}{trusting}\n")
    (etc / "catalog" / "lake.properties").write_text(values["catalogs"]["lake"])


def _secrets(stores: SecuredStores, catalog: CatalogSettings) -> dict[str, str]:
    """What the Secret ``trino-stores`` gives its pods, for a login made here."""
    database = catalog.jdbc_uri.rpartition("/")[2]
    with stores.postgres.session(database) as session:
        if not session.execute("SELECT FROM pg_roles WHERE rolname = %s", [READER]).fetchone():
            made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            session.execute(made.format(sql.Identifier(READER), sql.Literal(READER_PASSWORD)))
        session.execute(f"GRANT SELECT ON iceberg_tables, iceberg_namespace_properties TO {READER}")
    return {
        "CATALOG_JDBC_URL": f"{catalog.jdbc_uri}?sslmode=verify-full&sslrootcert={stores.postgres.authority.ca}",
        "CATALOG_USER": READER,
        "CATALOG_PASSWORD": READER_PASSWORD,
        "S3_ENDPOINT": stores.s3.endpoint,
        "S3_ACCESS_KEY": stores.s3.key_id,
        "S3_SECRET_KEY": stores.s3.secret_key,
    }


def _await(trino: Trino, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 120
    while not trino.started():
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < until, log.read_text()[-3000:]
        time.sleep(0.2)
