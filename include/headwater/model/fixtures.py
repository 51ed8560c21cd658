"""Given/expect tests of transforms: ``tests/sources/<source>/<table>.yml``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from headwater.domain.base import Value
from headwater.domain.errors import SpecError
from headwater.domain.job import Fixture
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import PipelineSpec, SourceSpec
from headwater.model.layout import Layout
from headwater.model.neighbours import needs_fixture
from headwater.model.spec_errors import spec_errors
from headwater.model.yaml_text import YamlDocument, read_yaml


class FixtureDocument(Value):
    """One test as written: rows given per dotted input table, rows expected (only the columns written are compared)."""

    name: str = Field(min_length=1, description="the rule this test holds, as a sentence")
    given: dict[str, tuple[dict[str, object], ...]] = Field(min_length=1, description="rows per dotted input table")
    expect: tuple[dict[str, object], ...] = Field(description="the rows that come out")


_DOCUMENTS = TypeAdapter(tuple[FixtureDocument, ...])


def tested_tables(spec: PipelineSpec) -> tuple[TableName, ...]:
    """Tables that must have a fixture: silver with SQL or expressions, and all gold."""
    silver = (table.name for table in spec.tables if needs_fixture(table)) if isinstance(spec, SourceSpec) else ()
    gold = (spec.name_of(Layer.GOLD, gold.name) for gold in spec.gold)
    return (*(spec.name_of(Layer.SILVER, name) for name in silver), *gold)


def read_fixtures(root: Path, spec: PipelineSpec, table: TableName) -> tuple[Fixture, ...]:
    """The tests of one table.

    :raises SpecError: when the file is missing or wrong, or gives a table the transform does not read.
    """
    layout = Layout(root)
    file = layout.fixtures(table)
    document = read_yaml(file, layout.display(file))
    found = _validated(document)
    for error in _wrong(found, document, _readable(spec, table)):
        raise error
    return tuple(
        Fixture(name=item.name, table=table, given=item.given, expect=item.expect, file=document.file) for item in found
    )


def _validated(document: YamlDocument) -> tuple[FixtureDocument, ...]:
    if not isinstance(document.value, list) or not document.value:
        allowed = "- name: …\n  given: {<table>: [rows]}\n  expect: [rows]"
        raise SpecError("a fixture file is a list of tests", document.locate(()), allowed=allowed)
    try:
        return _DOCUMENTS.validate_python(document.value)
    except ValidationError as error:
        raise spec_errors(error, tuple[FixtureDocument, ...], document)[0] from error


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
        for given in item.given:
            if given not in readable:
                where = document.locate((index, "given", given))
                allowed = ", ".join(readable)
                yield SpecError("the transform does not read this table", where, got=given, allowed=allowed)
        for name in readable:
            if name not in item.given:
                where = document.locate((index, "given"))
                yield SpecError(f"no rows are given for {name}", where, allowed=f"{name}: [rows]")
