"""Columns of tables as far as the files of a repository tell; of the rest only the source or the catalog knows."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.domain.names import RESERVED_PREFIX, SCD2_COLUMNS, Layer, TableName
from headwater.domain.spec import FilesExtract, GoldSpec, PipelineSpec, SourceSpec, TableSpec
from headwater.model.contracts.contract import parse_contract
from headwater.model.sql.one_select import output_columns, parse_select


def known_columns(specs: Iterable[PipelineSpec]) -> dict[str, tuple[str, ...]]:
    """Dotted silver or gold table -> its columns, of every table that the files alone determine."""
    found: dict[str, tuple[str, ...]] = {}
    for spec in specs:
        promised = {name: _promised(text) for name, text in spec.contracts.items() if not name.startswith(Layer.BRONZE)}
        found |= {name: columns for name, columns in promised.items() if columns is not None} | made_columns(spec)
    return found


def made_columns(spec: PipelineSpec) -> dict[str, tuple[str, ...]]:
    """Dotted silver or gold table -> its columns, where SQL or declarations make them, whatever a contract says."""
    found = {spec.name_of(Layer.GOLD, gold.name).dotted: _gold(gold) for gold in spec.gold if gold.transform is None}
    for table in spec.tables if isinstance(spec, SourceSpec) else ():
        columns = _silver(table)
        if columns is not None:
            found[spec.name_of(Layer.SILVER, table.name).dotted] = columns
    return found


def _gold(gold: GoldSpec) -> tuple[str, ...]:
    return output_columns(parse_select(gold.sql, gold.name), gold.name)


def _silver(table: TableSpec) -> tuple[str, ...] | None:
    """A landing's columns are declared, and SQL may name its own; those of a database are not."""
    if table.transform is not None:
        return None
    declared = table.extract.columns if isinstance(table.extract, FilesExtract) else None
    if table.sql is not None:
        shaped = _made(table.sql, tuple(declared) if declared is not None else None)
    elif declared is not None:
        names = [*declared, *(name for name in table.columns if name not in declared)]
        renamed = (table.columns[name].rename if name in table.columns else None for name in names)
        shaped = tuple(new or name for name, new in zip(names, renamed, strict=True))
    else:
        shaped = None
    if shaped is None:
        return None
    return (*shaped, *SCD2_COLUMNS) if table.silver.form == "scd2" else shaped


def _made(sql: str, taken: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Output columns of silver SQL; ``*`` stands for ``taken``, and leaves them unknown where those are."""
    found: list[str] = []
    for name in output_columns(parse_select(sql, "sql"), "sql", star=True):
        if name == "*" and taken is None:
            return None
        found += taken or () if name == "*" else (name,)
    return tuple(dict.fromkeys(found))


def _promised(contract: str | None) -> tuple[str, ...] | None:
    """Columns of a contract whose ``schema`` check lets no other pass the gate."""
    content = parse_contract(contract, "contract").value if contract else None
    if not isinstance(content, dict):
        return None
    checks = (item["schema"] for item in content.get("checks") or () if isinstance(item, dict) and "schema" in item)
    if not any(not (isinstance(check, dict) and check.get("allow_extra_columns")) for check in checks):
        return None
    return tuple(column["name"] for column in content.get("columns") or ())


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
