"""Which released snapshots a table is compared by, and which of its columns can be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from headwater.domain.canonical_text import KEY_FAMILIES, family
from headwater.domain.errors import NotFoundError, RequestError
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.schema import TableSchema
from headwater.domain.spec import ColumnRule, SourceSpec, TableSpec
from headwater.ports.reconciling import ComparedColumn, Comparison, ReleasedRows
from headwater.ports.run_store import RunStore
from headwater.services.reconciling.narrowing import bits_for

_RELEASES_LOOKED_AT = 200


def released_rows(runs: RunStore, spec: SourceSpec, table: TableSpec) -> ReleasedRows:
    """The table's newest release, with the watermark that goes with what silver holds.

    :raises NotFoundError: when nothing of the table was released yet.
    """
    names = {layer: spec.name_of(layer, table.name) for layer in (Layer.BRONZE, Layer.SILVER, Layer.QUARANTINE)}
    current = runs.current()
    silver, bronze, quarantine = (
        _find(current, names[layer]) for layer in (Layer.SILVER, Layer.BRONZE, Layer.QUARANTINE)
    )
    if silver is None or bronze is None:
        raise NotFoundError(
            f"nothing of {names[Layer.SILVER]} was released yet, so there is nothing to compare",
            remedy=f"`uv run headwater run {spec.name} --wait`",
            facts={"table": names[Layer.SILVER].dotted},
        )
    release, item = silver
    compared = item if _is_carried(table) else bronze[1]
    batch = compared.state.batch if compared.state else 0
    return ReleasedRows(
        release=release.id if compared is item else bronze[0].id,
        silver=names[Layer.SILVER],
        compared=compared,
        bronze=bronze[1],
        quarantine=quarantine[1] if quarantine else None,
        watermark=_watermark(runs, spec.name, bronze[1], batch) if table.extract.mode == "incremental" else None,
        batch=batch,
    )


def comparison(
    table: TableSpec, released: ReleasedRows, source: TableSchema, lake: Mapping[str, str], rows: int
) -> Comparison:
    """What both sides carry unchanged.

    :param rows: how many the lake has, about.
    :raises RequestError: for a key of a type whose text does not lead back to the value.
    """
    columns = tuple(_compared(table, released, source, lake))
    named = {column.source: column for column in columns}
    facts = {"table": released.silver.dotted}
    for name in table.key:
        kind = family(named[name].type) if name in named else None
        if kind is None or kind.partition(":")[0] not in KEY_FAMILIES:
            raise RequestError(
                f"rows of table {table.name!r} cannot be found by key column {name!r}",
                got=named[name].type if name in named else "a column that the lake does not carry unchanged",
                allowed="a key of numbers, texts, dates or times that the lake carries unchanged",
                remedy="Leave this table out.",
                facts=facts,
            )
    bits = bits_for(rows)
    return Comparison(table=table, columns=columns, watermark=released.watermark, bits=bits)


def left_out(table: TableSpec, released: ReleasedRows, source: TableSchema, lake: Mapping[str, str]) -> dict[str, str]:
    """Column -> why it is not compared."""
    of_silver = released.compared.table.layer is Layer.SILVER
    found = {}
    for column in source.columns:
        why = _reason(column.name, column.type, _rule(table, column.name) if of_silver else ColumnRule(), lake)
        if why is not None:
            found[column.name] = why
    return found


def _compared(
    table: TableSpec, released: ReleasedRows, source: TableSchema, lake: Mapping[str, str]
) -> Iterable[ComparedColumn]:
    ignored = left_out(table, released, source, lake)
    of_silver = released.compared.table.layer is Layer.SILVER
    for column in source.columns:
        if column.name not in ignored:
            rule = _rule(table, column.name) if of_silver else ColumnRule()
            yield ComparedColumn(source=column.name, lake=rule.rename or column.name, type=column.type)


def _reason(name: str, kind: str, rule: ColumnRule, lake: Mapping[str, str]) -> str | None:
    changes = (("masked", rule.mask), ("derived", rule.expression), ("cast", rule.type))
    shaped = next((word for word, value in (*changes, ("given a default", rule.default)) if value is not None), None)
    if shaped is not None:
        return f"{shaped} in silver"
    ours = lake.get(rule.rename or name)
    if ours is None:
        return "not in the lake yet"
    return None if ours == family(kind) else f"of another type in the lake: {ours}"


def _is_carried(table: TableSpec) -> bool:
    """Whether silver has the rows, key and cursor as the source has them, and no SQL or function in between."""
    if getattr(table.extract, "deleted_column", None) is not None:
        return False  # the source keeps rows that silver's readers do not see any more
    cursor = getattr(table.extract, "cursor", None)
    rules = (_rule(table, name) for name in (*table.key, *((cursor,) if cursor else ())))
    shaped = any(rule.mask or rule.expression or rule.type or rule.default is not None for rule in rules)
    return not shaped and not table.is_shaped_by_code


def _rule(table: TableSpec, name: str) -> ColumnRule:
    return table.columns.get(name, ColumnRule())


def _find(releases: Iterable[Release], name: TableName) -> tuple[Release, ReleasedTable] | None:
    for release in releases:
        for item in release.tables:
            if item.table == name:
                return release, item
    return None


def _watermark(runs: RunStore, pipeline: str, bronze: ReleasedTable, batch: int) -> str | None:
    """How far the source was read when bronze had this batch; silver may be behind, because it is held."""
    if bronze.state is not None and bronze.state.batch != batch:
        for release in runs.releases(pipeline, limit=_RELEASES_LOOKED_AT):
            found = _find([release] if release.status == "published" else [], bronze.table)
            if found is not None and found[1].state is not None and found[1].state.batch == batch:
                return found[1].state.watermark
    return bronze.state.watermark if bronze.state else None
