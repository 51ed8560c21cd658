"""The files of a warehouse as pyiceberg opens them: a folder, or buckets with patience for a store that throttles.

pyiceberg loads this module by name, through the catalog's property ``py-io-impl``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from pyarrow.fs import AwsDefaultS3RetryStrategy, FileSystem, S3FileSystem  # noqa: TID253 - loaded with a catalog only
from pyiceberg.io.pyarrow import PyArrowFileIO  # noqa: TID253 - as above

from headwater.domain.storage import S3Settings

CA_FILE, BY_PATH = "headwater.s3.ca-file", "headwater.s3.by-path"
ATTEMPTS = 10
"""Tries of one request. The pauses between them double from 25 ms, so a store may say 503 for a dozen seconds."""
_CONNECT_SECONDS, _REQUEST_SECONDS = 10.0, 60.0
_KEYS = {"access_key": "s3.access-key-id", "secret_key": "s3.secret-access-key", "session_token": "s3.session-token"}


class WarehouseFileIO(PyArrowFileIO):
    """One client per process and set of keys: a table is opened often, and a client costs a handshake."""

    def _initialize_s3_fs(self, netloc: str | None) -> FileSystem:  # noqa: ARG002 - the library's
        told = tuple(sorted((key, str(value)) for key, value in self.properties.items() if ".s3." in f".{key}"))
        # a forked child must not share connections and threads of its parent's client
        return _client(os.getpid(), told)


def io_properties(s3: S3Settings) -> dict[str, str]:
    """What the catalog is opened with. Holds the key; a table's own properties never do."""
    found = {
        "py-io-impl": f"{WarehouseFileIO.__module__}.{WarehouseFileIO.__qualname__}",
        "s3.region": s3.region,
        BY_PATH: str(s3.by_path),
        "s3.endpoint": s3.endpoint or "",
        CA_FILE: s3.ca_file or "",
        _KEYS["access_key"]: s3.access_key_id.get_secret_value(),
        _KEYS["secret_key"]: s3.secret_access_key.get_secret_value(),
        _KEYS["session_token"]: s3.session_token.get_secret_value(),
    }
    return {key: value for key, value in found.items() if value}


@lru_cache(maxsize=4)
def _client(process_id: int, told: tuple[tuple[str, str], ...]) -> S3FileSystem:  # noqa: ARG001 - parts processes
    return open_buckets(dict(told), ATTEMPTS)


def open_buckets(properties: Mapping[str, str], attempts: int) -> S3FileSystem:
    """A client of its own, by what ``io_properties`` says."""
    options: dict[str, object] = {name: properties[key] for name, key in _KEYS.items() if key in properties}
    options |= _address(properties)
    return S3FileSystem(
        region=properties["s3.region"],
        retry_strategy=AwsDefaultS3RetryStrategy(max_attempts=attempts),
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=_REQUEST_SECONDS,
        allow_delayed_open=True,  # a small file is one request, not the three of an upload in parts
        **options,
    )


def _address(properties: Mapping[str, str]) -> dict[str, object]:
    if "s3.endpoint" not in properties:
        return {}
    parts = urlsplit(properties["s3.endpoint"])
    found: dict[str, object] = {
        "endpoint_override": parts.netloc,
        "scheme": parts.scheme,
        "force_virtual_addressing": properties[BY_PATH] != "True",
    }
    return found | ({"tls_ca_file_path": properties[CA_FILE]} if CA_FILE in properties else {})
