"""One demo for all tests of this folder: booting it costs more than what they do with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.demo.served_demo import Demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("demo"), tmp_path_factory.mktemp("repository"))
    try:
        made.wait_until_serving()
        yield made
    finally:
        made.stop()
        made.metrics.close()
