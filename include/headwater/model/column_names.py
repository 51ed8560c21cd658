"""Names of a table's columns: what a key may name, and what two columns may not both be called in silver."""

from __future__ import annotations

from collections.abc import Iterator

from headwater.domain.spec import FilesExtract, SqlExtract, TableSpec
from headwater.model.schedules import Finding

_SILVER = ("sequence_by", "valid_from", "initial_valid_from")


def column_name_findings(table: TableSpec) -> Iterator[Finding]:
    """Names that are none, and columns of one name; paths start at the table."""
    cursor = table.extract.cursor if isinstance(table.extract, SqlExtract) else None
    for path, name in _named(table):
        if not name.strip():
            yield path, "this names no column", repr(name), "the name of a column at the source"
    if len({name.lower() for name in table.key}) < len(set(table.key)):
        yield ("key",), "two columns of the key are equal but for case (rule 30)", repr(list(table.key)), "one of them"
    yield from _same_target(table, {*table.key, *([cursor] if cursor else [])})


def _named(table: TableSpec) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every place that names a column of the source."""
    for path, names in ((("key",), table.key), (("silver", "track"), table.silver.track)):
        for index, name in enumerate(names):
            yield (*path, index), name
    for part, keys in (("extract", ("cursor", "deleted_column")), ("silver", _SILVER)):
        for key in keys:
            declared = getattr(getattr(table, part), key, None)
            if declared is not None:
                yield (part, key), declared


def _same_target(table: TableSpec, identifying: set[str]) -> Iterator[Finding]:
    files = table.extract.columns if isinstance(table.extract, FilesExtract) else {}
    renames = {name: rule.rename for name, rule in table.columns.items() if rule.rename is not None}
    kept = {name.lower(): name for name in (*identifying, *files, *table.columns) if name not in renames}
    for name, target in renames.items():
        other = kept.setdefault(target.lower(), name)
        if other != name:
            message = f"{name!r} and {other!r} would both be {target!r} in silver"
            yield ("columns", name, "rename"), message, repr(target), "a name that no other column has"
