"""What pods of Airflow reach outside of their namespace: Postgres and S3 by their names of production, Git, DataHub."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.integration.datahub.conftest import Gms
from tests.integration.sources.s3_under_test import await_port
from tests.integration.storage.secured_stores import SecuredStores
from tests.kubernetes.node.network import NODE
from tests.kubernetes.node.relay import relayed

from headwater.adapters.embedded.bare_repository import BareRepository
from headwater.adapters.embedded.postgres_files import free_port

DATA = "headwater-data"
POSTGRES, POOLER, S3 = "headwater-postgres-rw", "headwater-postgres-pooler-airflow", "headwater-minio"
NAMES = (POSTGRES, POOLER, S3)
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Outside:
    """Where everything is, as pods say it.

    :param repository: to push to; ``url`` is where pods fetch it.
    :param datahub: a server that answers as DataHub's does; ``datahub_url`` is where pods send to it.
    """

    stores: SecuredStores
    repository: BareRepository
    url: str
    datahub: Gms
    datahub_url: str

    def manifests(self) -> list[Manifest]:
        """Services of production's names, whose addresses are this machine's."""
        return [made for name in NAMES for made in _service(name)]


@contextmanager
def serving(stores: SecuredStores, folder: Path) -> Iterator[Outside]:
    """All of it on the node's address; gone afterwards."""
    repository = BareRepository(folder / "headwater.git")
    repository.ensure()
    with ExitStack() as doors:
        doors.enter_context(relayed(stores.postgres.port, at=5432))
        doors.enter_context(relayed(stores.s3.port, at=9000))
        datahub = Gms()
        doors.callback(datahub.stop)
        heard = doors.enter_context(relayed(urlsplit(datahub.url).port or 0))
        git = doors.enter_context(_fetchable(folder))
        yield Outside(stores, repository, f"git://{git}/headwater.git", datahub, f"http://{heard}")


@contextmanager
def _fetchable(folder: Path) -> Iterator[str]:
    """Git's own server, which knows shallow clones; it asks nobody who they are."""
    port = free_port()
    options = ["--export-all", f"--base-path={folder}", "--listen=127.0.0.1", f"--port={port}"]
    process = subprocess.Popen(["git", "daemon", *options, str(folder)])
    try:
        await_port(port, process)
        with relayed(port) as door:
            yield door
    finally:
        process.terminate()
        process.wait()


def _service(name: str) -> list[Manifest]:
    meta = {"name": name, "namespace": DATA}
    belongs = {"labels": {"kubernetes.io/service-name": name}}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"clusterIP": "None"}},
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": meta | belongs,
            "addressType": "IPv4",
            "endpoints": [{"addresses": [NODE]}],
            "ports": [],
        },
    ]
