"""What DAG parsing leaves out: contracts, and the SQL of transforms."""

from __future__ import annotations

from collections.abc import Iterator

from headwater.domain.errors import Location, SpecError
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import GoldSpec, PipelineSpec, PythonTransform, SourceSpec, TableSpec
from headwater.model.changes.acknowledgements import acknowledgement_findings
from headwater.model.contracts.lint import lint_contract
from headwater.model.fixtures.fixture import fixture_tables, read_fixtures
from headwater.model.fixtures.stray_files import stray_files
from headwater.model.gold_modes import circles, mode_findings, mode_warnings
from headwater.model.layout import Layout
from headwater.model.python_transforms import code_digest, function_findings, python_findings
from headwater.model.references import line_of_table, tables_of, unknown_table
from headwater.model.resolution import Resolution
from headwater.model.schedules import Finding
from headwater.model.sql.expressions import expression_fault
from headwater.model.sql.file import read_gold_sql, read_silver_sql


def deepen(layout: Layout, result: Resolution) -> None:
    """Fill ``contracts`` and ``inputs`` of the spec; where those files are wrong, say so and leave no spec."""
    spec = result.spec
    if spec is None:
        return
    contracts = {table.dotted: _contract(layout, table, result) for table in gated_tables(spec)}
    tables: dict[str, object] = {}
    if isinstance(spec, SourceSpec):
        for table in spec.tables:
            _silver(layout, spec, table, result)
        tables = {"tables": tuple(_with_digest(table, result) for table in spec.tables)}
    gold = tuple(_with_inputs(layout, spec, gold, result) for gold in spec.gold)
    result.refuse(circles(gold, spec.name), ("gold",))
    full = spec.model_copy(update={"contracts": contracts, "gold": gold, **tables})
    if not result.errors:
        result.refuse(acknowledgement_findings(full))
    result.spec = None if result.errors else full


def gated_tables(spec: PipelineSpec) -> Iterator[TableName]:
    """Every table with a contract, bronze first."""
    if isinstance(spec, SourceSpec):
        for layer in (Layer.BRONZE, Layer.SILVER):
            yield from (spec.name_of(layer, table.name) for table in spec.tables)
    yield from (spec.name_of(Layer.GOLD, gold.name) for gold in spec.gold)


def _contract(layout: Layout, table: TableName, result: Resolution) -> str:
    file = layout.contract(table)
    text = layout.text(file)
    result.errors += lint_contract(text, layout.display(file), table)
    return text


def _silver(layout: Layout, spec: SourceSpec, table: TableSpec, result: Resolution) -> None:
    result.refuse(_expressions(table), ("tables", table.name))
    if table.sql is None:
        return
    file = layout.display(layout.sql(spec.name_of(Layer.SILVER, table.name)))
    try:
        columns = read_silver_sql(table.sql, file, spec.name_of(Layer.BRONZE, table.name)).columns
    except SpecError as error:
        result.errors.append(error)
        return
    if "*" not in columns:
        wanted = (("key", index, name) for index, name in enumerate(table.key))
        result.refuse(_absent(wanted, columns, file), ("tables", table.name))


def _with_digest(table: TableSpec, result: Resolution) -> TableSpec:
    if table.transform is None:
        return table
    result.refuse(function_findings(table.transform), ("tables", table.name))
    return table.model_copy(update={"transform_digest": code_digest(table.transform)})


def _expressions(table: TableSpec) -> Iterator[Finding]:
    for name, rule in table.columns.items():
        fault = expression_fault(rule.expression) if rule.expression is not None else None
        if fault is not None:
            allowed = "one Spark SQL expression over the columns of a row"
            yield ("columns", name, "expression"), fault, repr(rule.expression)[:80], allowed


def _with_inputs(layout: Layout, spec: PipelineSpec, gold: GoldSpec, result: Resolution) -> GoldSpec:
    if gold.transform is not None:
        return _with_declared_inputs(gold, gold.transform, result)
    file = layout.display(layout.sql(spec.name_of(Layer.GOLD, gold.name)))
    try:
        found = read_gold_sql(gold.sql, file)
    except SpecError as error:
        result.errors.append(error)
        return gold
    own = {table.dotted for table in tables_of(spec)}
    for table in found.inputs:
        if table.source == spec.name and table.dotted not in own:
            where = Location(file, line_of_table(gold.sql, table))
            result.errors.append(unknown_table(table.dotted, where, own))
    wanted = (("grain", index, name) for index, name in enumerate(gold.grain))
    result.refuse(_absent(wanted, found.columns, file), ("gold", gold.name))
    result.refuse(mode_findings(gold), ("gold", gold.name))
    result.warn(mode_warnings(gold), ("gold", gold.name))
    return gold.model_copy(update={"inputs": found.inputs})


def _with_declared_inputs(gold: GoldSpec, transform: PythonTransform, result: Resolution) -> GoldSpec:
    path, inputs = ("gold", gold.name), []
    for index, dotted in enumerate(transform.inputs):
        try:
            table = TableName.parse(dotted)
        except ValueError:
            table = None
        if table is None or table.layer not in {Layer.SILVER, Layer.GOLD} or dotted != table.dotted:
            allowed = "silver.<source>.<table> or gold.<source>.<table>"
            result.refuse([(("transform", "inputs", index), "this is no table to read", repr(dotted), allowed)], path)
        else:
            inputs.append(table)
    result.refuse(python_findings(gold), path)
    return gold.model_copy(update={"inputs": tuple(inputs)})


def _absent(wanted: Iterator[tuple[str, int, str]], columns: tuple[str, ...], file: str) -> Iterator[Finding]:
    for key, index, name in wanted:
        if name not in columns:
            yield (key, index), f"{file} has no output column {name!r}", repr(name), ", ".join(columns)


def fixture_errors(layout: Layout, spec: PipelineSpec) -> Iterator[SpecError]:
    """What is wrong with the fixtures of a deeply resolved spec."""
    for table in fixture_tables(layout, spec):
        try:
            read_fixtures(layout.root, spec, table)
        except SpecError as error:
            yield error
    yield from stray_files(layout, spec)
