"""What pods of Airflow reach outside of their namespace: Postgres and S3 by their names of production, and Git."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.integration.storage.secured_stores import SecuredStores
from tests.kubernetes.node.network import NODE
from tests.kubernetes.node.relay import relayed

from headwater.adapters.embedded.bare_repository import BareRepository

DATA = "headwater-data"
POSTGRES, POOLER, S3 = "headwater-postgres-rw", "headwater-postgres-pooler-airflow", "headwater-minio"
NAMES = (POSTGRES, POOLER, S3)
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Outside:
    """Where everything is, as pods say it.

    :param repository: to push to; ``url`` is where pods fetch it.
    """

    stores: SecuredStores
    repository: BareRepository
    url: str

    def manifests(self) -> list[Manifest]:
        """Services of production's names, whose addresses are this machine's."""
        return [made for name in NAMES for made in _service(name)]


@contextmanager
def serving(stores: SecuredStores, folder: Path) -> Iterator[Outside]:
    """All of it on the node's address; gone afterwards."""
    repository = BareRepository(folder / "headwater.git")
    repository.ensure()
    # what tells those who fetch without a Git server what there is
    hook = repository.folder / "hooks" / "post-update"
    hook.write_text("#!/bin/sh\nexec git update-server-info\n")
    hook.chmod(0o755)
    subprocess.run(["git", "-C", str(repository.folder), "update-server-info"], check=True)
    with ExitStack() as doors:
        doors.enter_context(relayed(stores.postgres.port, at=5432))
        doors.enter_context(relayed(stores.s3.port, at=9000))
        port = doors.enter_context(_fetchable(folder))
        yield Outside(stores, repository, f"http://{NODE}:{port}/headwater.git")


@contextmanager
def _fetchable(folder: Path) -> Iterator[int]:
    class Quiet(SimpleHTTPRequestHandler):
        """Files as they are; Git makes a repository of them."""

        def log_message(self, *_: object) -> None:
            """Not among what the tests say."""

    with ThreadingHTTPServer((NODE, 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


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
