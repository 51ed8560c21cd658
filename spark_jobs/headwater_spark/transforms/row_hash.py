"""The row hash of rule 36 as a Spark expression; ``headwater.domain.row_hash`` is the same in Python."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql.types import DataType

from headwater.domain.row_hash import HASH_VERSION, piece_prefix, type_family
from headwater_spark.tables.sql_text import literal, quoted


def hash_expression(columns: Iterable[tuple[str, DataType]], prefix: str = "") -> str:
    """SQL of the hash over these columns. NULL fields are left out: ``concat_ws`` skips them."""
    pieces = [literal(HASH_VERSION)]
    for name, kind in sorted(columns, key=lambda column: column[0]):
        family = type_family(kind.simpleString())
        value = canonical(prefix + quoted(name), family)
        pieces.append(
            f"concat({literal(piece_prefix(name, family))}, CAST(octet_length({value}) AS STRING), ':', {value})"
        )
    return f"sha2(concat_ws('', {', '.join(pieces)}), 256)"


def canonical(name: str, family: str) -> str:
    """SQL of the one text of an expression's value within its family."""
    text, hexadecimal = f"CAST({name} AS STRING)", f"format_string('%a', CAST({name} AS DOUBLE))"
    trimmed = f"IF(instr({text}, '.') > 0, rtrim('.', rtrim('0', {text})), {text})"
    instant = f"CAST(unix_micros(CAST({name} AS TIMESTAMP)) AS STRING)"
    return {
        # format_string would make a text of NULL
        "float": f"CASE WHEN {name} = 0 THEN '0x0.0p0' WHEN {name} IS NOT NULL THEN {hexadecimal} END",
        "decimal": f"IF({name} = 0, '0', {trimmed})",
        "timestamp": instant,
        "timestamptz": instant,
        "date": f"CAST(unix_date({name}) AS STRING)",
        "binary": f"lower(hex({name}))",
        "nested": f"to_json({name})",
    }.get(family, text)
