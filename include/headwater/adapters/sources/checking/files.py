"""The parts of a connection to a folder, a bucket, or a database file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from headwater.adapters.sources.checking.probe import Probe, bad, good, network, tls
from headwater.adapters.sources.files.azure import account_of
from headwater.adapters.sources.files.landing import Landing
from headwater.adapters.sources.files.locations import AZURE_KINDS, LOCAL_KINDS, store_of
from headwater.adapters.sources.sqlite.extractor import SqliteExtractor
from headwater.adapters.sources.sqlite.session import database_of
from headwater.domain.errors import CredentialsError, HeadwaterError, SourceTableMissingError
from headwater.domain.spec import FilesExtract, TableSpec
from headwater.ports.connections import ConnectionInfo

_LOGIN = re.compile(
    "INVALID_ACCESS_KEY|InvalidAccessKeyId|SIGNATURE|InvalidClientTokenId|EXPIRED|AuthenticationFailed"
    "|failed to authenticate",
    re.IGNORECASE,
)
_S3_FIXES = (
    "Set the key id as login and the secret key as password of the connection.",
    "Grant the key s3:ListBucket on the bucket and s3:GetObject below the prefix.",
)
_AZURE_FIXES = (
    "Set the account as login and one of its keys as password of the connection, or a SAS token of today as sas_token.",
    "Give the token the permissions Read and List, or the application the role Storage Blob Data Reader.",
)


def check_files(connection: ConnectionInfo, tables: Sequence[TableSpec]) -> Iterator[Probe]:
    """The way to the place, the place, then the files of each table."""
    facts = {"connection": connection.id, "relation": "", "table": ""}
    store = store_of(connection, facts)
    if connection.kind in LOCAL_KINDS:
        yield _folder(Path(store.root))
    else:
        yield from _way(connection)
        try:
            store.is_folder("")
            list(store.list_files("headwater-looks-whether-it-may-list/*"))
        except HeadwaterError as error:
            yield _refused(error, connection)
            return
        yield good("login", "accepted")
        yield good("grant", f"{store.root} may be listed")
    for table in tables:
        if isinstance(table.extract, FilesExtract):
            yield _files_of(Landing.of(connection, table, table.extract))


def check_sqlite(connection: ConnectionInfo, tables: Sequence[TableSpec]) -> Iterator[Probe]:
    """The file, the right to read it, whether it is a database, then each relation."""
    path = database_of(connection)
    if not path.is_file():
        yield bad("file", f"{path} does not exist", "Mount its disk, or correct the host of the connection.")
        return
    yield good("file", f"{path}, {path.stat().st_size:,} bytes")
    if not os.access(path, os.R_OK):
        yield bad("permission", f"{path} may not be read", "Give this user the right to read the file.")
        return
    yield good("permission", "may be read")
    extractor = SqliteExtractor(connection)
    try:
        found = extractor.list_relations()
        yield good("database", f"{len(found)} relations")
        for table in tables:
            extractor.inspect(table)
            yield good(f"relation {table.name}", "can be read")
    except HeadwaterError as error:
        part = "relation" if isinstance(error, SourceTableMissingError) else "database"
        yield bad(part, f"{error.message}: {error.got}", error.remedy or "")
    finally:
        extractor.close()


def _folder(path: Path) -> Probe:
    if not path.is_dir():
        return bad("folder", f"{path} does not exist", "Create or mount it, or correct `path` of the connection.")
    if not os.access(path, os.R_OK | os.X_OK):
        return bad("permission", f"{path} may not be listed", "Give this user the rights to read and enter the folder.")
    return good("folder", f"{path} may be listed")


def _way(connection: ConnectionInfo) -> Iterator[Probe]:
    extra = connection.extra
    url = urlsplit(str(extra.get("endpoint_url", "")))
    if connection.kind in AZURE_KINDS:
        url = urlsplit(account_of(connection).url)
    host = url.hostname or f"s3.{extra.get('region_name', 'us-east-1')}.amazonaws.com"
    secured = url.scheme != "http"
    port = url.port or (443 if secured else 80)
    yield from network(host, port)
    if secured:
        yield tls(host, port)


def _refused(error: HeadwaterError, connection: ConnectionInfo) -> Probe:
    found, of_azure = f"{error.message}: {error.got}", connection.kind in AZURE_KINDS
    if isinstance(error, SourceTableMissingError):
        part = "container" if of_azure else "bucket"
        return bad(part, found, error.remedy or f"Create the {part}, or correct `path` of the connection.")
    if not isinstance(error, CredentialsError):
        return bad("server", found, error.remedy or "")
    login, grant = _AZURE_FIXES if of_azure else _S3_FIXES
    if _LOGIN.search(error.got or ""):
        return bad("login", found, login)
    return bad("grant", found, grant)


def _files_of(landing: Landing) -> Probe:
    part = f"files of {landing.table.name}"
    try:
        found = landing.list_files()
        if found:
            with landing.open(found[0].path) as content:
                content.read(1)
    except HeadwaterError as error:
        return bad(part, f"{error.message}: {error.got}", error.remedy or "")
    return good(part, f"{len(found):,} match {landing.extract.path}" + (", the first may be read" if found else ""))
