"""The canonical text of a value (``headwater.domain.canonical_text``), written by SQL Server 2019 or newer.

Texts are put together in Unicode and hashed as the bytes of their UTF-8, which a collation makes: older servers have
none. No text depends on the session: NULL is told apart by cases, not by how concatenation takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from headwater.adapters.sources.queried.columns import QueriedColumn
from headwater.adapters.sources.queried.database import Session
from headwater.adapters.sources.sqlserver.sql import literal
from headwater.domain.canonical_text import NULL

UTF8 = "Latin1_General_100_BIN2_UTF8"
HAS_UTF8 = f"SELECT COUNT(*) FROM fn_helpcollations() WHERE name = '{UTF8}'"  # noqa: S608 - a constant
_BYTES = "COLLATE Latin1_General_100_BIN2"
# of a collation with supplementary characters, LEN counts one that takes two units once
_CHARACTERS = "COLLATE Latin1_General_100_CI_AS_SC"
_ARGUMENTS = 250
"""CONCAT takes 254 at most."""
_WHOLE_SECONDS = 19
_COMPARABLE = ("char(", "varchar(", "nchar(", "nvarchar(")
_FRACTIONS = ("datetime", "datetime2(", "datetimeoffset(")


def can_hash(session: Session) -> bool:
    """Whether the server can make UTF-8 of its texts."""
    [(found,)] = session.all(HAS_UTF8)
    return bool(found)


def equal(column: QueriedColumn, value: str, text: str, instant: Callable[[QueriedColumn, str], str]) -> str:
    """A condition for values with a canonical text, and for texts that a collation takes for equal to it."""
    if column.moments is not None:
        return f"{value} = {instant(column, text.removesuffix('+00'))}"
    if column.type == "boolean":
        return f"{value} = {int(text == 'true')}"
    if column.type != "string":
        return f"{value} = {text}"
    if column.source_type == "uniqueidentifier":
        return f"{value} = CONVERT(uniqueidentifier, {literal(text)})"
    shown = value if column.source_type.startswith(_COMPARABLE) else column.form.format(value)
    return f"{shown} = {literal(text)}"


class SqlServerHashing:
    """``queried.hashing.Hashing``."""

    def text(self, column: QueriedColumn, value: str) -> str:
        shown = column.form.format(value)
        if column.type == "boolean":
            return f"CASE {value} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
        if column.type in {"float", "double"}:
            # -0.0 counts as 0.0; a real as the double that it is
            bits = f"CONVERT(varchar(20), CONVERT(bigint, CONVERT(binary(8), CONVERT(float, {value}))))"
            return f"CASE WHEN {value} = 0 THEN '0' ELSE {bits} END"
        if column.type == "binary":
            return f"LOWER(CONVERT(varchar(max), {shown}, 2)) {_BYTES}"
        if column.type == "string":
            return f"CONVERT(nvarchar(max), {shown}) {_BYTES}"
        if column.source_type.startswith(_FRACTIONS):
            return _stripped(shown, "+00" if column.type == "timestamptz" else "")
        return shown

    def piece(self, text: str, *, textual: bool) -> str:
        if not textual:
            return f"COALESCE({text}, '{NULL}'), '|'"
        # a full stop after it, because LEN leaves out spaces at the end
        length = f"CONVERT(varchar(20), LEN(CONCAT({text}, N'.') {_CHARACTERS}) - 1)"
        return f"CASE WHEN {text} IS NULL THEN N'{NULL}' ELSE CONCAT({length}, N':', {text}) END"

    def digest(self, pieces: Sequence[str]) -> str:
        parts = list(pieces)
        while len(parts) > 1 or parts == list(pieces):
            chunks = (parts[first : first + _ARGUMENTS // 2] for first in range(0, len(parts), _ARGUMENTS // 2))
            # without a text of any length among them, CONCAT would cut off what is beyond 8000 bytes
            parts = [f"CONCAT(CONVERT(nvarchar(max), N''), {', '.join(chunk)})" for chunk in chunks]
        return f"HASHBYTES('MD5', CONVERT(varchar(max), {parts[0]} COLLATE {UTF8}))"

    def shown(self, digest: str) -> str:
        return f"LOWER(CONVERT(char(32), {digest}, 2))"

    def number(self, digest: str, first: int) -> str:
        return f"CONVERT(bigint, SUBSTRING({digest}, {first + 1}, 4))"

    def shifted(self, number: str, places: int) -> str:
        # a literal beyond an int would be a decimal, whose quotient has a fraction
        return f"{number} / CONVERT(bigint, {1 << places})"

    def fits(self, columns: Sequence[QueriedColumn]) -> None:  # noqa: ARG002 - texts of any length are hashed
        return None


def _stripped(text: str, zone: str) -> str:
    """A time without the zeros at the end of its fraction."""
    fraction = f"SUBSTRING({text}, {_WHOLE_SECONDS + 2}, 7)"
    digits = f"REPLACE(RTRIM(REPLACE({fraction}, '0', ' ')), ' ', '0')"
    whole = f"LEFT({text}, {_WHOLE_SECONDS})"
    ending = f" + '{zone}'" if zone else ""
    return f"CASE WHEN {fraction} LIKE '%[1-9]%' THEN {whole} + '.' + {digits} ELSE {whole} END{ending}"
