"""The canonical text of a value (``headwater.domain.canonical_text``), written by Oracle.

The session has to be as ours are: UTC, Gregorian, a point before fractions. Hashed are the bytes of a text, which are
its UTF-8 in a database of AL32UTF8 only. Large values have no hash without a grant, and of binary floats nothing shows
the bits but a package that a database may have locked away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from headwater.adapters.sources.oracle.sql import literal, quoted
from headwater.adapters.sources.queried.columns import QueriedColumn
from headwater.adapters.sources.queried.database import Session
from headwater.domain.canonical_text import NULL

CHARACTER_SET = "SELECT value FROM nls_database_parameters WHERE parameter = 'NLS_CHARACTERSET'"
LONGEST_BYTES = 4000
"""Of a text in a statement, unless the database was set up for longer ones."""
_BY_FORM = ("NUMBER", "FLOAT", "ROWID", "INTERVAL")
"""Their form is the canonical text; of decimals and times it is not."""
_FORMS = {
    "CHAR": "{}",
    "VARCHAR2": "{}",
    "NCHAR": "TO_CHAR({})",
    "NVARCHAR2": "TO_CHAR({})",
    "RAW": "LOWER(RAWTOHEX({}))",
    "BOOLEAN": "CASE WHEN {0} THEN 'true' WHEN NOT {0} THEN 'false' END",
}
_LONG = ("CHAR", "VARCHAR2", "NCHAR", "NVARCHAR2", "RAW")
_NATIONAL = ("NCHAR", "NVARCHAR2")
_WIDEST_BYTES = 64
"""Of a number, a time, an interval or an address, with its separator or its length."""
_LENGTH_BYTES = 6
_MOST_BYTES = 4
"""Of a character."""
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def can_hash(session: Session) -> bool:
    """Whether the bytes of texts are those of their UTF-8."""
    [(found,)] = session.all(CHARACTER_SET)
    return str(found) == "AL32UTF8"


def equal(column: QueriedColumn, value: str, text: str, instant: Callable[[QueriedColumn, str], str]) -> str:
    """A condition for the values with a canonical text."""
    if column.moments is not None:
        return f"{value} = {instant(column, text.removesuffix('+00'))}"
    if column.type == "boolean":
        return value if text == "true" else f"NOT {value}"
    if column.type != "string" or (_kind(column) in ("NUMBER", "FLOAT") and _NUMBER.fullmatch(text)):
        return f"{value} = {text}"
    if _kind(column) in _NATIONAL:
        # a literal goes through the database's character set, which may lack what a national text has
        return f"{value} = UNISTR({literal(_escaped(text))})"
    return f"{column.form.format(value)} = {literal(text)}"


class OracleHashing:
    """``queried.hashing.Hashing``."""

    def text(self, column: QueriedColumn, value: str) -> str | None:
        if column.moments is not None:
            return _moment(column, value)
        if column.type.startswith("decimal("):
            return f"TO_CHAR({value}, '{_shape(column.type)}')"
        form = column.form if _kind(column) in _BY_FORM else _FORMS.get(_kind(column))
        return None if form is None else form.format(value)

    def piece(self, text: str, *, textual: bool) -> str:
        if not textual:
            return f"COALESCE({text}, '{NULL}') || '|'"
        return f"CASE WHEN {text} IS NULL THEN '{NULL}' ELSE TO_CHAR(LENGTH4({text})) || ':' || {text} END"

    def digest(self, pieces: Sequence[str]) -> str:
        return f"STANDARD_HASH({' || '.join(pieces)}, 'MD5')"

    def shown(self, digest: str) -> str:
        return f"LOWER(RAWTOHEX({digest}))"

    def number(self, digest: str, first: int) -> str:
        return f"TO_NUMBER(SUBSTR(RAWTOHEX({digest}), {2 * first + 1}, 8), 'XXXXXXXX')"

    def shifted(self, number: str, places: int) -> str:
        return f"TRUNC({number} / {1 << places})"

    def fits(self, columns: Sequence[QueriedColumn]) -> str | None:
        """By their declared lengths, else row by row."""
        long = [column for column in columns if _kind(column) in _LONG]
        rest = _WIDEST_BYTES * (len(columns) - len(long)) + _LENGTH_BYTES * len(long)
        if rest + sum(_MOST_BYTES * _declared_length(column) for column in long) <= LONGEST_BYTES:
            return None
        return f"{' + '.join([*map(_size, long), str(rest)])} <= {LONGEST_BYTES}"


def _shape(kind: str) -> str:
    """Exactly the scale's places, one digit before the point at least, no space."""
    found = _DECIMAL.fullmatch(kind)
    width, places = (int(found[1]), int(found[2])) if found else (38, 0)
    whole = "9" * (width - places - 1) + "0"
    return f"FM{whole}" + (f".{'0' * places}" if places else "")


def _moment(column: QueriedColumn, value: str) -> str:
    text = column.form.format(value)
    if column.moments is not None and column.moments.digits:
        text = f"RTRIM(RTRIM({text}, '0'), '.')"
    return f"{text} || '+00'" if column.type == "timestamptz" else text


def _size(column: QueriedColumn) -> str:
    """Bytes of the text: a byte is shown by two digits, and UTF-16 takes at most half as many again in UTF-8."""
    bytes_ = f"COALESCE(LENGTHB(t.{quoted(column.name)}), 0)"
    return f"2 * {bytes_}" if _kind(column) in ("RAW", *_NATIONAL) else bytes_


def _kind(column: QueriedColumn) -> str:
    """The type without its length and its field."""
    return re.split("[( ]", column.source_type, maxsplit=1)[0]


def _declared_length(column: QueriedColumn) -> int:
    return int(column.source_type.rpartition("(")[2].removesuffix(")"))


def _escaped(text: str) -> str:
    r"""Each unit of UTF-16 as ``\XXXX``."""
    units = text.encode("utf-16-be").hex()
    return "".join("\\" + units[first : first + 4] for first in range(0, len(units), 4))
