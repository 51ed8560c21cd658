"""What must hold for a table of a source, beyond the types of its keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from headwater.domain.names import RESERVED_COLUMNS, RESERVED_PREFIX, SCD2_COLUMNS
from headwater.domain.spec import FilesExtract, SqlExtract, TableSpec
from headwater.model.cdc_rules import cdc_findings
from headwater.model.column_names import column_name_findings
from headwater.model.column_rules import PRIMITIVE_TYPES, column_findings, is_primitive
from headwater.model.file_rules import file_findings
from headwater.model.schedules import Finding
from headwater.model.silver_rules import silver_findings
from headwater.model.table_layouts import layout_findings


def table_findings(table: TableSpec) -> Iterator[Finding]:
    """What is wrong with a resolved table; paths start at the table."""
    yield from silver_findings(table)
    yield from cdc_findings(table)
    yield from _key(table)
    yield from _source(table)
    for path, message, got, allowed in layout_findings(table.silver):
        yield ("silver", *path), message, got, allowed
    yield from column_name_findings(table)
    yield from _code(table)
    yield from column_findings(table)
    yield from _case_twins(table.columns, ("columns",))
    yield from _reserved(table)
    yield from _unknown_columns(table)
    if isinstance(table.extract, FilesExtract):
        yield from _files(table.extract)


def hides_deletes(table: TableSpec) -> bool:
    """Whether rows deleted at the source stay for ever, because nothing tells of them (rule 31)."""
    extract = table.extract
    return isinstance(extract, SqlExtract) and extract.mode == "incremental" and extract.deleted_column is None


def _key(table: TableSpec) -> Iterator[Finding]:
    extract, mode = table.extract, table.silver.mode
    if mode in {"upsert", "scd2"} and not table.key:
        yield ("key",), f"silver mode {mode} needs a key", "none", "key: [column, …]"
    lagging = isinstance(extract, SqlExtract) and bool(extract.lag)
    if mode == "append" and lagging and not table.key:
        yield ("key",), "append with lag reads rows twice and needs a key (rule 34)", "none", "key: [column, …]"
    if len(set(table.key)) != len(table.key):
        yield ("key",), "a column is in the key twice", repr(list(table.key)), "each column once"


def _source(table: TableSpec) -> Iterator[Finding]:
    deleted = table.extract.deleted_column if isinstance(table.extract, SqlExtract) else None
    if isinstance(table.extract, SqlExtract) and deleted in {*table.key, table.extract.cursor} - {None}:
        allowed = "a column of its own that says that a row is gone"
        yield ("extract", "deleted_column"), "every row has a value there", repr(deleted), allowed
    if deleted is not None and table.silver.mode == "append":
        message = "append keeps every event, those of deleted rows too"
        yield ("extract", "deleted_column"), message, repr(deleted), "silver mode upsert or scd2"
    relation = table.extract.relation if isinstance(table.extract, SqlExtract) else None
    if relation is not None and not all(part.strip() for part in relation.split(".", 1)):
        allowed = "schema.table: the first dot ends the schema, others belong to the table's name; or table"
        yield ("extract", "relation"), "this names no relation", repr(relation), allowed


def _code(table: TableSpec) -> Iterator[Finding]:
    if table.sql is not None and table.transform is not None:
        message = f"a Python function has no place beside sql/silver/…/{table.name}.sql"
        yield ("transform",), message, table.transform.python, "one of the two"


def _reserved(table: TableSpec) -> Iterator[Finding]:
    taken = set(SCD2_COLUMNS) if table.silver.form == "scd2" else set()
    declared: dict[str, tuple[str, ...]] = {name: ("columns", name) for name in table.columns}
    if isinstance(table.extract, FilesExtract):
        declared |= {name: ("extract", "columns", name) for name in table.extract.columns}
    for name, path in declared.items():
        rule = table.columns.get(name)
        target = rule.rename if rule is not None and rule.rename is not None else name
        if target.startswith(RESERVED_PREFIX) or target in RESERVED_COLUMNS or target in taken:
            yield path, f"the column name {target!r} is reserved", repr(target), "columns.<name>.rename: another name"


def _unknown_columns(table: TableSpec) -> Iterator[Finding]:
    if not isinstance(table.extract, FilesExtract) or table.sql is not None:
        return
    made = {name for name, rule in table.columns.items() if rule.expression is not None}
    renamed = {rule.rename for rule in table.columns.values() if rule.rename is not None}
    known = set(table.extract.columns)
    for name in table.columns:
        if name not in known | made:
            yield ("columns", name), f"the files have no column {name!r}", repr(name), ", ".join(sorted(known))
    for path, names in _references(table):
        for name in names:
            if name not in known | made | renamed:
                yield path, f"there is no column {name!r}", repr(name), ", ".join(sorted(known | made | renamed))


def _references(table: TableSpec) -> Iterator[tuple[tuple[str | int, ...], tuple[str, ...]]]:
    yield ("key",), table.key
    yield ("silver", "track"), table.silver.track
    for name in ("sequence_by", "valid_from", "initial_valid_from"):
        value = getattr(table.silver, name)
        yield ("silver", name), () if value is None else (value,)


def _files(extract: FilesExtract) -> Iterator[Finding]:
    yield from file_findings(extract)
    for name, type_ in extract.columns.items():
        if not is_primitive(type_):
            yield ("extract", "columns", name), "no such type", repr(type_), PRIMITIVE_TYPES
    yield from _case_twins(extract.columns, ("extract", "columns"))


def _case_twins(names: Iterable[str], path: tuple[str, ...]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(name.lower(), name)
        if twin != name:
            message = f"{name!r} and {twin!r} are equal but for case (rule 30)"
            yield (*path, name), message, repr(name), "names that differ in more than case"
