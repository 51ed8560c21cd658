"""From one parsed YAML file and its neighbouring files to a resolved spec."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from headwater.domain.names import Layer
from headwater.domain.spec import GoldSpec, ProductSpec, Reconcile, SourceSpec, TableSpec
from headwater.model.documents import GoldDocument, ProductDocument, Profile, SourceDocument, TableDocument
from headwater.model.extracts import resolve_extract
from headwater.model.layout import Layout, checked_name
from headwater.model.lease_waits import lease_wait_findings
from headwater.model.neighbours import missing_of_gold, missing_of_table, read_sql
from headwater.model.reconcile_rules import reconcile_findings
from headwater.model.resolution import Resolution, name_findings, owner_findings
from headwater.model.schedules import Finding, schedule_findings
from headwater.model.spec_errors import shown, spec_errors
from headwater.model.table_layouts import layout_findings
from headwater.model.table_rules import table_findings
from headwater.model.yaml_text import YamlDocument

_D = TypeVar("_D", SourceDocument, ProductDocument)
_SHARED = ("description", "owner", "domain", "schedule", "freshness", "tags")
_TABLE_KEYS = tuple(key for key in TableDocument.model_fields if key not in {"extract", "accept"})
_GOLD_KEYS = tuple(key for key in GoldDocument.model_fields if key != "accept")


def resolve_source(layout: Layout, name: str, document: YamlDocument, profile: Profile) -> Resolution:
    """A source with everything its file and neighbours say, attempting all of it.

    :raises SpecError: when a neighbouring file cannot be read at all.
    """
    result = Resolution(document)
    parsed = _validated(SourceDocument, result, profile)
    if parsed is None:
        return result
    result.refuse(name_findings(parsed.tables, "tables"))
    result.refuse(name_findings(parsed.gold, "gold"))
    result.refuse(_shared_names(parsed))
    if result.errors:
        return result
    tables = [_table(layout, name, parsed, key, profile, result) for key in parsed.tables]
    gold = _gold(layout, name, parsed.gold, result)
    if not result.errors:
        found = tuple(table for table in tables if table is not None)
        given = _given(parsed, parsed.lease_wait or profile.lease_wait)
        compared = parsed.reconcile and Reconcile(schedule=parsed.reconcile.schedule, tables=parsed.reconcile.tables)
        spec = SourceSpec(
            name=name,
            file=document.file,
            connection=parsed.connection,
            tables=found,
            gold=gold,
            reconcile=compared,
            **given,
        )
        result.refuse(reconcile_findings(spec), ("reconcile",))
        result.spec = None if result.errors else spec
    return result


def resolve_product(layout: Layout, name: str, document: YamlDocument, profile: Profile) -> Resolution:
    """A product with everything its file and neighbours say, attempting all of it.

    :raises SpecError: when a neighbouring file cannot be read at all.
    """
    result = Resolution(document)
    parsed = _validated(ProductDocument, result, profile)
    if parsed is None:
        return result
    result.refuse(name_findings(parsed.gold, "gold"))
    if result.errors:
        return result
    gold = _gold(layout, name, parsed.gold, result)
    if not result.errors:
        given = _given(parsed, parsed.lease_wait or profile.lease_wait)
        result.spec = ProductSpec(name=name, file=document.file, gold=gold, **given)
    return result


def _validated(model: type[_D], result: Resolution, profile: Profile) -> _D | None:
    value = result.document.value
    if not isinstance(value, dict):
        result.refuse([((), "the file holds no mapping", shown(value), "keys and values")])
        return None
    try:
        parsed = model.model_validate(value)
    except ValidationError as error:
        result.errors += spec_errors(error, model, result.document)
        return None
    result.refuse(schedule_findings(parsed.schedule))
    result.refuse(owner_findings(parsed))
    result.refuse(lease_wait_findings(parsed.lease_wait or profile.lease_wait, profile.turn))
    return parsed


def _given(parsed: SourceDocument | ProductDocument, lease_wait: object) -> dict[str, Any]:
    given = {key: getattr(parsed, key) for key in _SHARED}
    return given if lease_wait is None else given | {"lease_wait": lease_wait}


def _shared_names(parsed: SourceDocument) -> list[Finding]:
    twins = [name for name in parsed.gold if name in parsed.tables]
    return [(("gold", name), "a gold table has the name of a table", name, "a name of its own") for name in twins]


def _table(
    layout: Layout, source: str, parsed: SourceDocument, name: str, profile: Profile, result: Resolution
) -> TableSpec | None:
    raw, path = parsed.tables[name], ("tables", name)
    extract, errors = resolve_extract(name, raw.extract, parsed.extract, profile.extract, result.document)
    result.collect(errors)
    if extract is None:
        return None
    sql = read_sql(layout, checked_name(Layer.SILVER, source, name))
    given = {key: getattr(raw, key) for key in _TABLE_KEYS}
    table = TableSpec(name=name, extract=extract, sql=sql, **given)
    result.refuse(table_findings(table), path)
    result.refuse(missing_of_table(layout, source, table), path)
    return table


def _gold(layout: Layout, source: str, entries: dict[str, GoldDocument], result: Resolution) -> tuple[GoldSpec, ...]:
    found = []
    for name, raw in entries.items():
        table = checked_name(Layer.GOLD, source, name)
        result.refuse(missing_of_gold(layout, table, by_sql=raw.transform is None), ("gold", name))
        result.refuse(layout_findings(raw), ("gold", name))
        if len(set(raw.grain)) != len(raw.grain):
            finding = (("grain",), "a column is in the grain twice", repr(list(raw.grain)), "each column once")
            result.refuse([finding], ("gold", name))
        if raw.mode != "rebuild" and not raw.grain:
            finding = (("grain",), f"mode {raw.mode} needs a grain", "none", "grain: [column, …]")
            result.refuse([finding], ("gold", name))
        sql = read_sql(layout, table) if raw.transform is None else ""
        if sql is not None:
            given = {key: getattr(raw, key) for key in _GOLD_KEYS}
            found.append(GoldSpec(name=name, sql=sql, **given))
    return tuple(found)
