"""Columns of tables as far as the files of a repository tell; of the rest only the source or the catalog knows."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.domain.names import RESERVED_PREFIX, SCD2_COLUMNS, Layer, TableName
from headwater.domain.spec import FilesExtract, GoldSpec, PipelineSpec, SourceSpec, TableSpec
from headwater.model.sql_select import output_columns, parse_select


def known_columns(specs: Iterable[PipelineSpec]) -> dict[str, tuple[str, ...]]:
    """Dotted silver or gold table -> its columns, of every table that the files alone determine."""
    found: dict[str, tuple[str, ...]] = {}
    for spec in specs:
        for gold in spec.gold:
            found[spec.name_of(Layer.GOLD, gold.name).dotted] = _gold(gold)
        for table in spec.tables if isinstance(spec, SourceSpec) else ():
            columns = _silver(table)
            if columns is not None:
                found[spec.name_of(Layer.SILVER, table.name).dotted] = columns
    return found


def _gold(gold: GoldSpec) -> tuple[str, ...]:
    return output_columns(parse_select(gold.sql, gold.name), gold.name)


def _silver(table: TableSpec) -> tuple[str, ...] | None:
    """A landing's columns are declared; those of a database are not, and SQL may take ``*`` of either."""
    if not isinstance(table.extract, FilesExtract) or table.sql is not None:
        return None
    declared = table.extract.columns
    names = [*declared, *(name for name in table.columns if name not in declared)]
    renamed = (table.columns[name].rename if name in table.columns else None for name in names)
    shaped = tuple(new or name for name, new in zip(names, renamed, strict=True))
    return (*shaped, *SCD2_COLUMNS) if table.silver.form == "scd2" else shaped


def is_known(column: str, columns: Iterable[str]) -> bool:
    """Whether a table of these columns has this one. Spark ignores case; system columns are every table's."""
    return column.lower().startswith(RESERVED_PREFIX) or column.lower() in {name.lower() for name in columns}


def dotted_of(parts: Iterable[str]) -> str | None:
    """The table that the parts of a name in SQL mean, or None for a CTE and the like."""
    text = ".".join(parts)
    try:
        return TableName.parse(text).dotted
    except ValueError:
        return None
