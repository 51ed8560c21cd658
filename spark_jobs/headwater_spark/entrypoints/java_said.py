"""What Java's libraries say under an error of Spark, and which of it is the catalog's or the store's."""

from __future__ import annotations

import re

from headwater.adapters.iceberg.refusals import refused_by_database
from headwater.adapters.redaction import Redactor
from headwater.domain.errors import CatalogError
from headwater.domain.names import TableName
from headwater.domain.storage_errors import (
    WarehouseDownError,
    WarehouseRefusedError,
    bucket_missing,
    key_refused,
    store_untrusted,
)

_CAUSE = re.compile(r"^(?:: |Caused by: )(.+)$", re.MULTILINE)
_LONGEST = 600
# of Java, Hadoop, and Hadoop's folders on a file system, which says no more than that it could not
_REFUSED = re.compile(
    r"(?:[\w.]+\.AccessDeniedException: |[\w.]+\.AccessControlException: |[\w.]+Exception: [^\n]*\(Permission denied\)"
    r"|[\w.]+Exception: [^\n]*\(Read-only file system\)|java\.io\.IOException: Mkdirs failed to create )[^\n]*"
)
_FAILED = re.compile(
    r"[\w.]+(?:Exception|FSError|Error): [^\n]*(?:No space left on device|Disk quota exceeded|Input/output error"
    r"|Stale file handle)[^\n]*"
)


# of Amazon's library, as a class before a colon or, by a Connect server, in parentheses
_OF_S3 = re.compile(r"(software\.amazon\.awssdk\.[\w.]+(?:Exception|Error))(?:: |\) )([^\n]*)")
# of the same, where the store was never reached or could not serve
_STORE_AWAY = re.compile(
    r"software\.amazon\.awssdk\.[\w.]+(?:Exception|Error)(?:: |\) )[^\n]*"
    r"(?:Unable to execute HTTP request|UnknownHostException|Status Code: 5\d\d\b)[^\n]*"
)
_OF_CATALOG = re.compile(r"org\.apache\.iceberg\.jdbc\.Unchecked\w+(?:: |\) )[^\n]*")
"""Iceberg's own errors of its catalog's database: it is away, refuses us, or has no connection left."""
_OF_POSTGRES = re.compile(r"org\.postgresql\.util\.PSQLException: ([^\n]*)")
_ADDRESS = re.compile(
    r"(?:Connect to|Connection to) ([^\s\[]+?)(?: \[|:? (?:failed|refused))|UnknownHostException: ([\w.-]+)"
)
_OF_TLS = re.compile(r"^(?!\s+at )[^\n]*?([\w.]*(?:SSL\w*|CertPathBuilder\w*|Validator)Exception[^\n]*)", re.MULTILINE)
"""An exception, not a frame: each way to an address of https goes through a class with SSL in its name."""


def told(text: str, otherwise: str) -> str:
    """One bounded line that names the cause.

    A call into Java begins with the name of a call and has the cause far below; a Connect server's error and those
    that Spark names itself say it in their first line.
    """
    lines = text.strip().splitlines() or [otherwise]
    causes = _CAUSE.findall(text) if lines[0].startswith("An error occurred while calling") else []
    return Redactor()(causes[-1] if causes else lines[0])[:_LONGEST]


def away(table: TableName, text: str) -> CatalogError | None:
    """The error of a catalog's database or a warehouse's store that Spark could not reach, or that could not serve it.

    Told by the frames of those that asked: "connection refused" is also what a Spark server that is gone says.
    """
    of_catalog, of_store = _OF_CATALOG.search(text), _STORE_AWAY.search(text)
    if of_catalog:
        return _catalog_away(table, text, Redactor()(of_catalog[0])[:_LONGEST])
    if of_store is None or _OF_TLS.search(text):
        return None
    got = Redactor()(of_store[0])[:_LONGEST]
    return WarehouseDownError(
        f"{table}: the warehouse's store did not answer Spark", got=got, facts=_asked(text) | {"got": got},
        remedy="Bring the store back, or let `catalog.s3.endpoint` of the profile name one that can be reached from "
        "where Spark works; then run the task again.",
    )  # fmt: skip


def _catalog_away(table: TableName, text: str, said: str) -> CatalogError:
    of_postgres = _OF_POSTGRES.search(text)
    got = said if of_postgres is None else Redactor()(of_postgres[1])[:_LONGEST]
    refused = refused_by_database(str(table), got, got, {"got": got})
    return refused or CatalogError(
        f"{table}: the catalog's database did not answer Spark", got=got, facts=_asked(text) | {"got": got},
        remedy="Check that it is up, has connections left, and can be reached from where Spark works by "
        "`catalog.jdbc_uri` of the profile; then run the task again.",
    )  # fmt: skip


def _asked(text: str) -> dict[str, str]:
    """Whom Spark asked in vain, as far as it says so."""
    found = _ADDRESS.search(text)
    return {} if found is None else {"address": found[1] or found[2]}


def of_warehouse(table: TableName, text: str) -> CatalogError | None:
    """The error of files that could not be read or written; None when it says nothing of them."""
    of_s3 = _of_s3(table, text)
    if of_s3 is not None:
        return of_s3
    refused, failing = _REFUSED.search(text), _FAILED.search(text)
    if refused:
        got = _bounded(refused)
        return WarehouseRefusedError(
            f"{table}: Spark may not read or write files of the warehouse", got=got,
            remedy="Let the user that Spark works as read and write below `catalog.warehouse` of the profile: whoever "
            "else works on it has to be the same user, or one whose folders this one's group may write. "
            "Then clear the task.",
            facts={"part": "files", "denied": got},
        )  # fmt: skip
    if failing:
        return WarehouseDownError(
            f"{table}: files could not be read or written where Spark works", got=_bounded(failing),
            remedy="Make room on the disk it names, of the warehouse or of Spark's own files, or mount it again; then "
            "run the task again.",
        )  # fmt: skip
    return None


def _of_s3(table: TableName, text: str) -> CatalogError | None:
    """What Amazon's library says of the store; None of a single object that is not there."""
    said = _OF_S3.search(text)
    if said is None:
        return None
    got = Redactor()(f"{said[1]}: {said[2]}")[:_LONGEST]
    what, facts = str(table), {"got": got}
    if "NoSuchBucketException" in got:
        return bucket_missing(what, got, facts)
    if re.search(r"Status Code: 40[13]\b|Unable to load credentials", got):
        return key_refused(what, got, facts)
    if "Unable to execute HTTP request" in got:
        untrusted = _OF_TLS.search(text)
        return None if untrusted is None else store_untrusted(what, got, {"got": Redactor()(untrusted[1])[:_LONGEST]})
    return None


def _bounded(found: re.Match[str]) -> str:
    return Redactor()(found[0])[:_LONGEST]
