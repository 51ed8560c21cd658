"""dlt's best path from a database into Parquet files of a folder: its ``sql_table`` by ConnectorX."""

from __future__ import annotations

import os
import tempfile
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extract_postgres import Took

RETURN_TYPES = ("arrow_stream", "arrow")
"""Of ConnectorX: batches as they come, or one table of everything."""


def dlt_alone(reflected: str, read: str, table: str, return_type: str) -> Took:
    """Extract, normalize and load, with the clock started when the libraries are imported.

    :param reflected: SQLAlchemy's URL of the database, for the table's types.
    :param read: ConnectorX's URL of the same.
    """
    from extract_postgres import timed

    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    dlt: Any = import_module("dlt")
    sources: Any = import_module("dlt.sources.sql_database")
    import_module("connectorx")
    with tempfile.TemporaryDirectory() as folder:

        def work() -> int:
            resource = sources.sql_table(
                reflected, table=table, backend="connectorx", reflection_level="full_with_precision",
                backend_kwargs={"conn": read, "return_type": return_type},
            )  # fmt: skip
            target = dlt.destinations.filesystem(f"file://{folder}/out")
            pipeline = dlt.pipeline("bench", destination=target, pipelines_dir=f"{folder}/pipelines", dataset_name="b")
            pipeline.run(resource, loader_file_format="parquet")
            return int(pipeline.last_trace.last_normalize_info.row_counts[table])

        return timed(work)
