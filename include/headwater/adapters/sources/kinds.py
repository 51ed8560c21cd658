"""Every kind of source, and how far it has been shown to work."""

from __future__ import annotations

from typing import Literal

from headwater.adapters.sources.files.locations import AZURE_KINDS, FILE_KINDS, LOCAL_KINDS, S3_KINDS
from headwater.adapters.sources.opening import MYSQL_KINDS, ORACLE_KINDS, POSTGRES_KINDS, SQLITE_KIND, SQLSERVER_KINDS
from headwater.domain.base import Value

VERIFIED, PROTOCOL = "verified on a real server", "protocol only"


class SourceKind(Value):
    """A kind of source. ``counterpart`` is what its tests run against.

    :param guide: its page under ``docs/guides/sources/``.
    """

    name: str
    extract: Literal["sql", "files", "external"]
    connections: tuple[str, ...]
    badge: Literal["verified on a real server", "protocol only"]
    counterpart: str
    guide: str


SOURCE_KINDS = (
    SourceKind(name="PostgreSQL", extract="sql", connections=POSTGRES_KINDS, badge=VERIFIED,
               counterpart="PostgreSQL 18 and 15", guide="postgres.md"),
    SourceKind(name="MySQL and MariaDB", extract="sql", connections=MYSQL_KINDS, badge=VERIFIED,
               counterpart="MariaDB 11.4; MySQL 9.7 by hand", guide="mysql.md"),
    SourceKind(name="SQLite", extract="sql", connections=(SQLITE_KIND,), badge=VERIFIED,
               counterpart="SQLite itself", guide="sqlite.md"),
    SourceKind(name="SQL Server", extract="sql", connections=SQLSERVER_KINDS, badge=PROTOCOL,
               counterpart="no server: statements, types and refusals only", guide="sqlserver.md"),
    SourceKind(name="Oracle", extract="sql", connections=ORACLE_KINDS, badge=PROTOCOL,
               counterpart="no server: statements, types and refusals only", guide="oracle.md"),
    SourceKind(name="files in a folder", extract="files", connections=LOCAL_KINDS, badge=VERIFIED,
               counterpart="a file system", guide="files.md"),
    SourceKind(name="files in S3", extract="files", connections=S3_KINDS, badge=VERIFIED,
               counterpart="the S3 server of moto", guide="s3.md"),
    SourceKind(name="files in ADLS", extract="files", connections=AZURE_KINDS, badge=VERIFIED,
               counterpart="Azurite: the Blob protocol, no hierarchical namespace", guide="adls.md"),
    SourceKind(name="Delta tables", extract="files", connections=FILE_KINDS, badge=VERIFIED,
               counterpart="tables written by delta-rs, the S3 server of moto, Azurite", guide="delta.md"),
    SourceKind(name="files of a job over HTTP", extract="external", connections=FILE_KINDS, badge=VERIFIED,
               counterpart="a real HTTP server", guide="external.md"),
    SourceKind(name="files of an Azure Data Factory pipeline", extract="external", connections=FILE_KINDS,
               badge=PROTOCOL, counterpart="a server that answers as its interface says", guide="data-factory.md"),
)  # fmt: skip


def badge_of(kind: SourceKind) -> str:
    """The badge in words, as guides and ``headwater doctor`` show it."""
    return f"{kind.badge} ({kind.counterpart})"
