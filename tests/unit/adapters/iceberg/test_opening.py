"""Opening the catalog."""

from __future__ import annotations

import logging
from pathlib import Path

from headwater.adapters.iceberg.opening import open_catalog
from headwater.domain.settings import CatalogSettings


def test_a_tasks_log_is_not_filled_by_every_table_that_is_opened(tmp_path: Path) -> None:
    logging.getLogger("pyiceberg.io").setLevel(logging.INFO)
    uri = f"sqlite:///{tmp_path}/catalog.db"
    open_catalog(CatalogSettings(uri=uri, jdbc_uri="unused", warehouse=str(tmp_path))).close()
    io = logging.getLogger("pyiceberg.io")
    assert not io.isEnabledFor(logging.INFO)
    assert io.isEnabledFor(logging.WARNING)
