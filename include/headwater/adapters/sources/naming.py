"""Which column names a source may have, and which of its names are like one that is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from headwater.domain.errors import SchemaDriftError, SourceTableMissingError
from headwater.domain.names import RESERVED_COLUMNS, RESERVED_PREFIX, SCD2_COLUMNS
from headwater.domain.spec import SqlExtract, TableSpec


def check_names(names: Sequence[str], where: str, facts: dict[str, str]) -> None:
    """Refuse names that Iceberg or Headwater cannot tell apart from others (rules 3, 30).

    :raises SchemaDriftError: for two names equal but for case, or a reserved name.
    """
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(name.lower(), name)
        if twin != name:
            raise SchemaDriftError(
                f"columns {twin!r} and {name!r} of {where} are equal but for case",
                got=f"{twin}, {name}",
                remedy="Rename one of them at the source, or read a view that does.",
                facts={**facts, "column": name},
            )
        if name.lower().startswith(RESERVED_PREFIX) or name.lower() in RESERVED_COLUMNS:
            raise SchemaDriftError(
                f"column {name!r} of {where} has a reserved name",
                got=name,
                allowed=f"names that do not start with {RESERVED_PREFIX} and are not {', '.join(RESERVED_COLUMNS)}",
                remedy="Read a view at the source that gives the column another name.",
                facts={**facts, "column": name},
            )


def check_history_names(names: Sequence[str], table: TableSpec, where: str, facts: Mapping[str, str]) -> None:
    """Refuse a column that an scd2 table would confuse with its own, unless the YAML renames it (rule 3).

    :raises SchemaDriftError: naming the column and the rule that renames it.
    """
    if table.silver.form != "scd2" or table.is_shaped_by_code:
        return
    for name in names:
        rule = table.columns.get(name)
        if name.lower() in SCD2_COLUMNS and (rule is None or rule.rename is None):
            raise SchemaDriftError(
                f"column {name!r} of {where} has the name of a column that scd2 adds",
                got=name,
                allowed=f"names other than {', '.join(SCD2_COLUMNS)}",
                remedy=f"Give it another name in the YAML: `columns: {{{name}: {{rename: source_{name.lower()}}}}}`.",
                facts={**facts, "column": name},
            )


def check_relied_on(table: TableSpec, names: Sequence[str], facts: Mapping[str, str]) -> None:
    """Refuse a relation without a column of the table's key, or its cursor.

    :raises SchemaDriftError: naming the column, and similar ones.
    """
    cursor = table.extract.cursor if isinstance(table.extract, SqlExtract) else None
    for role, name in [*(("key", item) for item in table.key), *([("cursor", cursor)] if cursor else [])]:
        if name not in names:
            near = ", ".join(get_close_matches(name, names, n=3, cutoff=0.5))
            raise SchemaDriftError(
                f"{role} column {name!r} does not exist in {facts['relation']}",
                got=", ".join(names),
                allowed=f"similar: {near}" if near else None,
                remedy=f"Restore column {name!r} at the source, or change `{role}` of table {table.name!r}.",
                facts={**facts, "column": name, "near": near},
            )


def near_relations(name: str, offered: Sequence[tuple[str, str]]) -> str:
    """Relations, of schema and name, whose names are like one, whatever their case."""
    alike = get_close_matches(name.lower(), sorted({other.lower() for _, other in offered}), n=3)
    return ", ".join(f"{schema}.{other}" for schema, other in offered if other.lower() in alike)


def relation_missing(
    relation: tuple[str, str], offered: Sequence[tuple[str, str]], form: str, facts: Mapping[str, str]
) -> SourceTableMissingError:
    """The failure of a relation of which nothing is to be seen. :param form: how the YAML names relations."""
    near = near_relations(relation[1], offered)
    return SourceTableMissingError(
        f"{facts['relation']} does not exist at the source, or nothing of it may be seen",
        got=facts["relation"],
        allowed=near or f"one of {len(offered)} relations, none with a similar name",
        remedy=f"Restore the relation, grant SELECT on it, or name the new one in `extract: {{relation: {form}}}`.",
        facts={**facts, "near": near},
    )
