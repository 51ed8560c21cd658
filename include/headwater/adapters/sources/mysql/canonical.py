"""The canonical text of a value (``headwater.domain.canonical_text``), written by MySQL.

The session has to be in UTC, with an empty ``sql_mode``, as every session of ours is. Texts are compared, concatenated
and hashed as the bytes of their UTF-8, so that no collation has a say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from headwater.adapters.sources.mysql.carrying import CALENDAR, SourceColumn
from headwater.adapters.sources.mysql.mysql_sql import column, literal
from headwater.domain.canonical_text import NULL, is_textual
from headwater.domain.spec import SqlExtract

_SMALLEST_EXPONENT, _LARGEST_EXPONENT, _MANTISSA = -1022, 1023, 52
_SIGN = 1 << 63
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def canonical(item: SourceColumn, extract: SqlExtract) -> str:
    """The value's text; NULL stays NULL."""
    name = column(item.name)
    if item.type == "boolean":
        return f"CASE {name} + 0 WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
    if item.type in {"float", "double"}:
        return f"CAST({_bits(f'({name} + 0e0)')} AS CHAR)"
    if item.type in CALENDAR:
        return _moment(item, extract)
    if item.type == "binary":
        return f"LOWER(HEX({name}))"
    if item.type != "string":
        # adding nothing takes away the zeros that ZEROFILL and YEAR are shown with
        return f"CAST({name} + 0 AS CHAR)"
    return utf8(item)


def expression(item: SourceColumn, extract: SqlExtract) -> str:
    """The value's text as it stands in a row's: with its length or the separator, NULL told apart."""
    text, null = canonical(item, extract), literal(NULL)
    if is_textual(item.type):
        return f"COALESCE(CONCAT(CHAR_LENGTH({text}), ':', {text}), {null})"
    return f"CONCAT(COALESCE({text}, {null}), '|')"


def digest(items: Sequence[SourceColumn], extract: SqlExtract) -> str:
    """md5 over the texts of the columns; NULL where they are longer than the server lets any text be."""
    return f"MD5(CONCAT({', '.join(expression(item, extract) for item in items)}))"


def utf8(item: SourceColumn) -> str:
    """The value as a text of Unicode, compared by its bytes."""
    return f"CONVERT({item.as_text()} USING utf8mb4) COLLATE utf8mb4_bin"


def is_no_day(item: SourceColumn) -> str:
    """True or false, never NULL: whether there is a value that no calendar has, as 0000-00-00 and 2013-02-31."""
    name = column(item.name)
    day = f"{name} >= '0001-01-01' AND DAYOFMONTH({name}) BETWEEN 1 AND DAYOFMONTH(LAST_DAY({name}))"
    # IS NULL would be true of the zero date of a column that may not be NULL
    return f"(CAST({name} AS CHAR) IS NOT NULL AND ({day}) IS NOT TRUE)"


def where_equal(item: SourceColumn, text: str) -> str:
    """A condition that holds of the rows whose value has this canonical text, and that an index may answer.

    Of texts it may hold of others, too, which the column's collation takes for equal.
    """
    name = column(item.name)
    if item.type == "boolean":
        return f"{name} = {int(text == 'true')}"
    if item.is_exact_number and item.type != "string":
        return f"{name} = {text}" if _NUMBER.fullmatch(text) else "FALSE"
    if item.type in CALENDAR:
        return f"{name} = {literal(text.removesuffix('+00'))}"
    return f"{item.as_text()} = {literal(text)}"


def _moment(item: SourceColumn, extract: SqlExtract) -> str:
    text = f"CAST({column(item.name)} AS CHAR)"
    if "(" in item.source_type:
        text = f"TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {text}))"
    if item.type == "timestamptz":
        text = f"CONCAT({text}, '+00')"
    return f"CASE WHEN NOT {is_no_day(item)} THEN {text} END" if extract.non_finite == "null" else text


def _bits(number: str) -> str:
    """The 64 bits of a double as a signed integer. The server has no function that shows them.

    Each step is exact: powers of two only, and a logarithm that may be one off is put right by comparing.
    """
    size = f"ABS({number})"
    guess = f"GREATEST(LEAST(FLOOR(LOG2({size})), {_LARGEST_EXPONENT}), {_SMALLEST_EXPONENT})"
    scaled = f"({size} / POW(2, {guess}))"
    # of a guess that is one too great, or too small
    off = f"(CASE WHEN {scaled} >= 2 THEN 1 WHEN {scaled} < 1 AND {guess} > {_SMALLEST_EXPONENT} THEN -1 ELSE 0 END)"
    exponent = f"({guess} + {off})"
    mantissa = f"CAST({size} / POW(2, {exponent}) * POW(2, {_MANTISSA}) AS SIGNED)"
    # a normal mantissa has its leading bit, which counts as one of the exponent; a subnormal one has none
    positive = f"({mantissa} + CAST({exponent} - {_SMALLEST_EXPONENT} AS SIGNED) * {1 << _MANTISSA})"
    return f"CASE WHEN {size} = 0 THEN 0 WHEN {number} > 0 THEN {positive} ELSE {positive} - {_SIGN - 1} - 1 END"
