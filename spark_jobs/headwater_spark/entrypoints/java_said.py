"""What Java's libraries say under an error of Spark, and which of it is the warehouse's files refusing us."""

from __future__ import annotations

import re

from headwater.adapters.redaction import Redactor
from headwater.domain.errors import CatalogError
from headwater.domain.names import TableName
from headwater.domain.storage_errors import WarehouseRefusedError

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


def _bounded(found: re.Match[str]) -> str:
    return Redactor()(found[0])[:_LONGEST]
