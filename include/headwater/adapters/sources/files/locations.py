"""Which store a connection's ``path`` names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from headwater.adapters.sources.files.azure import account_of, azure_files
from headwater.adapters.sources.files.local_store import LocalStore
from headwater.adapters.sources.files.store import FileStore
from headwater.domain.errors import ConnectionMalformedError
from headwater.ports.connections import ConnectionInfo

if TYPE_CHECKING:
    import pyarrow.fs

LOCAL_KINDS = ("fs", "file", "headwater_landing")
S3_KINDS = ("aws", "s3")
AZURE_KINDS = ("adls", "azure_data_lake", "wasb")
FILE_KINDS = (*LOCAL_KINDS, *S3_KINDS, *AZURE_KINDS)
_EXAMPLES = {
    LOCAL_KINDS: '{"conn_type": "fs", "extra": {"path": "/data/landing"}}',
    S3_KINDS: '{"conn_type": "aws", "login": "<key id>", "password": "<secret key>", '
    '"extra": {"path": "s3://bucket/landing", "region_name": "eu-central-1"}}',
    AZURE_KINDS: '{"conn_type": "adls", "login": "<account>", "password": "<account key>", '
    '"extra": {"path": "abfss://container@account.dfs.core.windows.net/landing"}}',
}
_S3_EXTRA = ("path", "region_name", "endpoint_url", "aws_session_token", "role_arn")
_AZURE_EXTRA = ("path", "sas_token", "tenant_id", "client_id", "client_secret", "endpoint_url")
_CONNECT_SECONDS, _REQUEST_SECONDS = 10, 60


def store_of(connection: ConnectionInfo, facts: dict[str, str]) -> FileStore:
    """The store of a connection. Reaches for nothing yet.

    :raises ConnectionMalformedError: when ``path`` in the extra is none that the connection's type can have, or an
        account of Azure cannot be told from the connection.
    """
    path = str(connection.extra.get("path", ""))
    if connection.kind in LOCAL_KINDS:
        return LocalStore(_folder(connection, path), facts)
    from headwater.adapters.sources.files.object_store import ObjectStore

    if connection.kind in S3_KINDS:
        _check_extra(connection, _S3_EXTRA)
        bucket, prefix = _bucket(connection, path, ("s3", "s3a"))
        root = "/".join(part for part in (bucket, prefix) if part)
        return ObjectStore(lambda: _s3(connection), root, f"s3://{root}", connection, facts)
    _check_extra(connection, _AZURE_EXTRA)
    container, prefix = _bucket(connection, path, ("abfs", "abfss"))
    root = "/".join(part for part in (container.partition("@")[0], prefix) if part)
    account_of(connection)
    return ObjectStore(lambda: azure_files(connection), root, path.rstrip("/"), connection, facts)


def _folder(connection: ConnectionInfo, path: str) -> Path:
    if not Path(path).is_absolute():
        _malformed(connection, "names no landing folder", f"extra path {path!r}", LOCAL_KINDS)
    return Path(path)


def _bucket(connection: ConnectionInfo, path: str, schemes: tuple[str, ...]) -> tuple[str, str]:
    parts = urlsplit(path)
    kinds = S3_KINDS if "s3" in schemes else AZURE_KINDS
    if parts.scheme not in schemes or not parts.netloc or parts.query or parts.fragment:
        _malformed(connection, "names no place for files", f"a path of scheme {parts.scheme!r}", kinds)
    return parts.netloc, parts.path.strip("/")


def _check_extra(connection: ConnectionInfo, known: tuple[str, ...]) -> None:
    unknown = sorted(set(connection.extra) - set(known))
    if unknown:
        kinds = S3_KINDS if known is _S3_EXTRA else AZURE_KINDS
        _malformed(connection, f"has unknown keys in its extra: {', '.join(unknown)}", ", ".join(unknown), kinds, known)


def _malformed(
    connection: ConnectionInfo, what: str, got: str, kinds: tuple[str, ...], known: tuple[str, ...] = ()
) -> NoReturn:
    keys = f"the keys {', '.join(known)}" if known else "an absolute folder" if kinds is LOCAL_KINDS else "a URL"
    raise ConnectionMalformedError(
        f"connection {connection.id!r} {what}",
        got=got,
        allowed=f"{keys}, as in {_EXAMPLES[kinds]}",
        facts={"connection": connection.id},
    )


def _s3(connection: ConnectionInfo) -> pyarrow.fs.FileSystem:
    """Without a login the machine's own credentials are used: environment, profile or instance role."""
    import pyarrow.fs

    extra = {key: str(value) for key, value in connection.extra.items()}
    options: dict[str, object] = {"connect_timeout": _CONNECT_SECONDS, "request_timeout": _REQUEST_SECONDS}
    if connection.login:
        options |= {"access_key": connection.login, "secret_key": connection.password.get_secret_value()}
        options |= {"session_token": extra["aws_session_token"]} if "aws_session_token" in extra else {}
    options |= {"role_arn": extra["role_arn"]} if "role_arn" in extra else {}
    options |= {"region": extra["region_name"]} if "region_name" in extra else {}
    if "endpoint_url" in extra:
        endpoint = urlsplit(extra["endpoint_url"])
        options |= {"endpoint_override": endpoint.netloc, "scheme": endpoint.scheme or "https"}
        options.setdefault("region", "us-east-1")
    return pyarrow.fs.S3FileSystem(**options)
