"""The table: every way input can be wrong, its outcome, error code, exit status, and where the rows are."""

from __future__ import annotations

from typing import TypeVar

from tests.bad_input.bad_input import BadInput
from tests.bad_input.odd_names import ODD_NAMES
from tests.bad_input.unknown_connection import UNKNOWN_CONNECTION
from tests.bad_input.wrong_data import WRONG_DATA
from tests.bad_input.wrong_files import WRONG_FILES
from tests.bad_input.wrong_keys import WRONG_KEYS
from tests.bad_input.wrong_names import WRONG_NAMES
from tests.bad_input.wrong_sql import WRONG_SQL
from tests.bad_input.wrong_tables import WRONG_TABLES
from tests.bad_input.wrong_yaml import WRONG_YAML

RULES = (
    "unknown key",
    "wrong type",
    "duplicate key",
    "YAML anchors bomb",
    "tags",
    "`no` as a key",
    "10 MB file",
    "file name that is no identifier",
    "two files for one source",
    "missing SQL or contract file",
    "misspelt `checks`",
    "unknown connection",
    "source table missing",
    "column vanished",
    "primary key null or doubled",
    "NaN and infinity in numerics",
    "cursor NULL or in year 9999",
    "dates out of range",
    "invalid UTF-8",
    "names such as `../evil`",
    "column names with quotes, dots, spaces",
    "column names equal but for case",
    "reserved names",
)
"""What was asked for, word by word."""

TABLE: tuple[BadInput, ...] = (
    *WRONG_KEYS,
    *WRONG_YAML,
    *WRONG_NAMES,
    *WRONG_TABLES,
    *WRONG_SQL,
    *WRONG_FILES,
    *UNKNOWN_CONNECTION,
    *WRONG_DATA,
    *ODD_NAMES,
)

Kind = TypeVar("Kind", bound=BadInput)


def cases(kind: type[Kind]) -> list[Kind]:
    """The rows of one kind: what one test is driven by."""
    return [row for row in TABLE if type(row) is kind]
