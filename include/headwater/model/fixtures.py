"""Given/expect tests of transforms: ``tests/sources/<source>/<table>.yml``, their rows in it or in CSV files beside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from headwater.domain.base import Value
from headwater.domain.errors import SpecError
from headwater.domain.job import FIXTURE_CLOCK, Fixture
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import FilesExtract, PipelineSpec, SourceSpec
from headwater.model.fixture_csv import read_rows
from headwater.model.layout import Layout
from headwater.model.neighbours import needs_fixture
from headwater.model.spec_errors import spec_errors
from headwater.model.table_rules import PRIMITIVE_TYPES, is_primitive
from headwater.model.yaml_text import YamlDocument, read_yaml


class FixtureDocument(Value):
    """One test as written: rows given per dotted input table, rows expected (only the columns written are compared)."""

    name: str = Field(min_length=1, description="the rule this test holds, as a sentence")
    given: dict[str, tuple[dict[str, object], ...]] = Field(min_length=1, description="rows per dotted input table")
    expect: tuple[dict[str, object], ...] = Field(description="the rows that come out")
    types: dict[str, dict[str, str]] = Field(default_factory=dict)
    planned_at: AwareDatetime = FIXTURE_CLOCK


_DOCUMENTS = TypeAdapter(tuple[FixtureDocument, ...])


def tested_tables(spec: PipelineSpec) -> tuple[TableName, ...]:
    """Tables that must have a fixture: silver with SQL or expressions, and all gold."""
    silver = (table.name for table in spec.tables if needs_fixture(table)) if isinstance(spec, SourceSpec) else ()
    gold = (spec.name_of(Layer.GOLD, gold.name) for gold in spec.gold)
    return (*(spec.name_of(Layer.SILVER, name) for name in silver), *gold)


def fixture_tables(layout: Layout, spec: PipelineSpec) -> tuple[TableName, ...]:
    """Tables that have a fixture: those that must, and every other silver table somebody wrote one for."""
    silver = (table.name for table in spec.tables) if isinstance(spec, SourceSpec) else ()
    own = [spec.name_of(Layer.SILVER, name) for name in silver]
    own += [spec.name_of(Layer.GOLD, gold.name) for gold in spec.gold]
    must = set(tested_tables(spec))
    return tuple(table for table in own if table in must or layout.fixtures(table).is_file())


def declared_types(spec: PipelineSpec, table: TableName) -> dict[str, dict[str, str]]:
    """Dotted input -> column -> Iceberg type, of what the YAML declares: the columns of a landing."""
    if table.layer is not Layer.SILVER or not isinstance(spec, SourceSpec):
        return {}
    extract = spec.table(table.table).extract
    bronze = spec.name_of(Layer.BRONZE, table.table).dotted
    return {bronze: dict(extract.columns)} if isinstance(extract, FilesExtract) else {}


def read_fixtures(root: Path, spec: PipelineSpec, table: TableName) -> tuple[Fixture, ...]:
    """The tests of one table.

    :raises SpecError: when the file is missing or wrong, or gives a table the transform does not read.
    """
    layout = Layout(root)
    file = layout.fixtures(table)
    document = read_yaml(file, layout.display(file))
    found = _validated(document, layout, table)
    for error in _wrong(found, document, _readable(spec, table)):
        raise error
    return tuple(
        Fixture(
            name=item.name,
            table=table,
            given=item.given,
            expect=item.expect,
            file=document.file,
            line=document.locate((index,)).line,
            types=item.types,
            planned_at=item.planned_at,
        )
        for index, item in enumerate(found)
    )


def _validated(document: YamlDocument, layout: Layout, table: TableName) -> tuple[FixtureDocument, ...]:
    if not isinstance(document.value, list) or not document.value:
        allowed = "- name: …\n  given: {<table>: [rows]}\n  expect: [rows]"
        raise SpecError("a fixture file is a list of tests", document.locate(()), allowed=allowed)
    written = [_with_csv(item, index, document, layout, table) for index, item in enumerate(document.value)]
    try:
        return _DOCUMENTS.validate_python(written)
    except ValidationError as error:
        raise spec_errors(error, tuple[FixtureDocument, ...], document)[0] from error


def _with_csv(item: object, index: int, document: YamlDocument, layout: Layout, table: TableName) -> object:
    """The test with the rows of its CSV files in the place of their names."""
    if not isinstance(item, dict):
        return item
    types, given = item.get("types"), item.get("given")

    def rows(value: object, typed: object, *path: str) -> object:
        if not isinstance(value, str):
            return value
        columns = frozenset(typed) if isinstance(typed, dict) else frozenset()
        return read_rows(layout, table, value, document.locate((index, *path)), columns)

    read = dict(item)
    if isinstance(given, dict):
        declared = types if isinstance(types, dict) else {}
        read["given"] = {name: rows(value, declared.get(name), "given", name) for name, value in given.items()}
    if "expect" in item:
        read["expect"] = rows(item["expect"], None, "expect")
    return read


def _readable(spec: PipelineSpec, table: TableName) -> tuple[str, ...]:
    if table.layer is Layer.SILVER:
        return (spec.name_of(Layer.BRONZE, table.table).dotted,)
    gold = next(gold for gold in spec.gold if gold.name == table.table)
    return tuple(name.dotted for name in gold.inputs)


def _wrong(found: Sequence[FixtureDocument], document: YamlDocument, readable: Sequence[str]) -> Iterator[SpecError]:
    seen: set[str] = set()
    for index, item in enumerate(found):
        if item.name in seen:
            yield SpecError("two tests have one name", document.locate((index, "name")), got=item.name)
        seen.add(item.name)
        for key in ("given", "types"):
            for given in (name for name in getattr(item, key) if name not in readable):
                where = document.locate((index, key, given))
                allowed = ", ".join(readable)
                yield SpecError("the transform does not read this table", where, got=given, allowed=allowed)
        for name in readable:
            if name not in item.given:
                where = document.locate((index, "given"))
                yield SpecError(f"no rows are given for {name}", where, allowed=f"{name}: [rows]")
        yield from _types(item, index, document)


def _types(item: FixtureDocument, index: int, document: YamlDocument) -> Iterator[SpecError]:
    for table, columns in item.types.items():
        for column, kind in columns.items():
            if not is_primitive(kind):
                where = document.locate((index, "types", table, column))
                yield SpecError("no such type", where, got=repr(kind)[:80], allowed=PRIMITIVE_TYPES)
