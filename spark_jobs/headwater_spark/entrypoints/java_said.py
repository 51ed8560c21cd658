"""What Java's libraries say under an error of Spark, and which of it is the warehouse's files refusing us."""

from __future__ import annotations

import re

from headwater.adapters.redaction import Redactor
from headwater.domain.errors import CatalogError
from headwater.domain.names import TableName
from headwater.domain.storage_errors import WarehouseRefusedError, bucket_missing, key_refused, store_untrusted

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
_OF_TLS = re.compile(r"[\w.]*(?:SSL|CertPathBuilder|ValidatorException)[^\n]*")


def told(text: str, otherwise: str) -> str:
    """One bounded line that names the cause.

    A call into Java begins with the name of a call and has the cause far below; a Connect server's error and those
    that Spark names itself say it in their first line.
    """
    lines = text.strip().splitlines() or [otherwise]
    causes = _CAUSE.findall(text) if lines[0].startswith("An error occurred while calling") else []
    return Redactor()(causes[-1] if causes else lines[0])[:_LONGEST]


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
        return CatalogError(
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
        return None if untrusted is None else store_untrusted(what, got, {"got": _bounded(untrusted)})
    return None


def _bounded(found: re.Match[str]) -> str:
    return Redactor()(found[0])[:_LONGEST]
