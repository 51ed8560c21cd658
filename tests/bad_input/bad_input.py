"""What the table of bad input says of a case. The tests beside it are driven by its rows, one kind of row per test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

UNREAD = "at the source, unread: the file gives no DAG"


@dataclass(frozen=True, slots=True)
class BadInput:
    """One way input can be wrong, and what becomes of it.

    :param rule: the words of the requirement it belongs to; empty for ways nobody asked about.
    :param outcome: ``refused`` with an error; ``set aside`` in quarantine; ``carried`` as it is; ``not checked`` here.
    :param code: the error's code, which is its runbook's name; of rows set aside the rule that quarantine names.
    :param exit_status: of the process that meets it: ``headwater validate`` for files, the stage's for data.
    :param rows: where the rows are.
    :param also: test of another folder that follows the case further.
    """

    rule: str
    case: str
    outcome: Literal["refused", "set aside", "carried", "not checked"] = field(default="refused", kw_only=True)
    code: str | None = field(default="spec_invalid", kw_only=True)
    exit_status: int = field(default=1, kw_only=True)
    rows: str = field(default=UNREAD, kw_only=True)
    also: str | None = field(default=None, kw_only=True)

    def __str__(self) -> str:
        return self.case


@dataclass(frozen=True, slots=True)
class WrongText(BadInput):
    """``file`` of a good repository has ``old`` replaced by ``new``; the first error names line and key."""

    file: str
    old: str
    new: str
    line: int | None
    key: str | None
    message: str
    allowed: str = ""


@dataclass(frozen=True, slots=True)
class WrongFiles(BadInput):
    """Files of a good repository are written, or removed by None; an error names ``file``."""

    changes: dict[str, str | bytes | None]
    file: str
    message: str


@dataclass(frozen=True, slots=True)
class WrongData(BadInput):
    """A source of one table ``orders`` with these contents, planned and extracted.

    :param source: SQL that makes relation and rows, run in turn.
    :param extract: the table's ``extract`` in the YAML.
    :param then: SQL run after a first run, whose outcome is not asked about; a second run follows.
    :param landed: file name -> content in a landing folder ``in``, in place of a database.
    :param encoding: of the source database.
    """

    source: tuple[str, ...]
    extract: str = "{mode: snapshot}"
    silver: str = "{mode: upsert, sequence_by: id}"
    then: tuple[str, ...] = ()
    landed: dict[str, bytes] = field(default_factory=dict, hash=False)
    encoding: str = "UTF8"
