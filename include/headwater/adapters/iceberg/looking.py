"""Whether the catalog and the warehouse can be reached by what the profile says; nothing is made or written."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from headwater.adapters.iceberg.opening import catalog_uri, explained
from headwater.domain.errors import CatalogError
from headwater.domain.settings import CatalogSettings

_ATTEMPTS = 2
_CONNECT_SECONDS = 3
_TLS = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl"


def look_at_catalog(settings: CatalogSettings) -> str:
    """Log in, as Python does, and say how. :raises CatalogError: or one of its kinds, with its fix."""
    from sqlalchemy import create_engine, text

    address = catalog_uri(settings)
    is_server = address.startswith("postgresql")
    waiting = {"connect_timeout": _CONNECT_SECONDS} if is_server else {}
    engine = create_engine(address, connect_args=waiting)
    try:
        with explained("looking at the catalog"), engine.connect() as connection:
            if not is_server:
                return "opens"
            version = connection.execute(text(_TLS)).scalar()
            return f"lets us in over {version}" if version else "lets us in, without TLS"
    finally:
        engine.dispose()


def look_at_warehouse(settings: CatalogSettings) -> str:
    """List it. :raises CatalogError: or one of its kinds, with its fix."""
    if settings.s3 is None:
        return _look_at_folder(urlsplit(settings.warehouse).path)
    from pyarrow.fs import FileSelector

    from headwater.adapters.iceberg.warehouse_files import io_properties, open_buckets

    with explained("looking at the warehouse"):
        buckets = open_buckets(io_properties(settings.s3), _ATTEMPTS)
        place = settings.warehouse.removeprefix("s3://").rstrip("/")
        # a bucket that is missing is told, a prefix that nothing was written to yet is not
        buckets.get_file_info(FileSelector(place.partition("/")[0]))
        found = buckets.get_file_info(FileSelector(place, allow_not_found="/" in place))
    return f"{settings.warehouse} can be listed, {len(found)} entries"


def _look_at_folder(folder: str) -> str:
    if not Path(folder).is_dir():
        return f"{folder} is made by the first table"
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise CatalogError(
            f"{folder} may not be written", remedy="Give the user that Headwater runs as the folder of the warehouse."
        )
    return f"{folder} can be written"
