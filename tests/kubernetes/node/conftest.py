"""A node that really runs pods; only for ``make node-test``, which has built it and works inside its namespaces."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.kubernetes.api_server_under_test import Cluster
from tests.kubernetes.conftest import furnish
from tests.kubernetes.node.machine import Node, running

collect_ignore_glob = [] if "HEADWATER_NODE" in os.environ else ["test_*.py"]


@pytest.fixture(scope="session")
def environment() -> str:
    """The smaller one: pods of both are made alike."""
    return "dev"


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    servers, binaries, images = (Path(os.environ[f"HEADWATER_{name}"]) for name in ("API_SERVER", "NODE", "IMAGES"))
    with running(servers, binaries, images, tmp_path_factory.mktemp("node")) as made:
        yield made


@pytest.fixture(scope="session")
def cluster(node: Node, manifests: list[dict[str, Any]]) -> Cluster:
    """Of the node, with our namespaces, accounts and rights."""
    furnish(node.cluster, manifests)
    return node.cluster
