"""What must hold for the rules of single columns: each does something, and what it names exists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

from headwater.domain.names import NAME_RULE, is_name
from headwater.domain.spec import ColumnRule, FilesExtract, TableSpec
from headwater.model.schedules import Finding

_PRIMITIVE = re.compile(
    r"boolean|int|long|float|double|date|timestamp|timestamptz|string|binary|uuid"
    r"|decimal\((?:[1-9]|[12]\d|3[0-8]),\s*(?:\d|[12]\d|3[0-8])\)"
)
PRIMITIVE_TYPES = "boolean int long float double decimal(p,s) date timestamp timestamptz string binary uuid"
_WHOLE = {"int": 31, "long": 63}
_DAY = re.compile(r"\d{4}-\d\d-\d\d(?:[ T].*)?")
_READERS: dict[str, Callable[[str], object]] = {
    "date": date.fromisoformat, "timestamp": datetime.fromisoformat, "timestamptz": datetime.fromisoformat,
    "uuid": UUID, "string": str, "binary": str,
}  # fmt: skip


def is_primitive(text: str) -> bool:
    """Whether the text is one of Iceberg's types without parts."""
    if _PRIMITIVE.fullmatch(text) is None:
        return False
    precision, _, scale = text.removeprefix("decimal(").removesuffix(")").partition(",")
    return not scale or int(scale) <= int(precision)


def column_findings(table: TableSpec) -> Iterator[Finding]:
    """What is wrong with the rules of a table's columns; paths start at the table."""
    for name, rule in table.columns.items():
        at = ("columns", name)
        if not rule.model_dump(exclude_defaults=True):
            yield at, "this rule does nothing", "no key", f"one of {', '.join(ColumnRule.model_fields)}; or no entry"
        if rule.rename is not None and not is_name(rule.rename):
            yield (*at, "rename"), "this is no column name", repr(rule.rename), NAME_RULE
        if rule.rename == name:
            yield (*at, "rename"), "the column has this name already", repr(rule.rename), "another name, or no rename"
        if rule.type is not None and not is_primitive(rule.type):
            yield (*at, "type"), "no such type", repr(rule.type), PRIMITIVE_TYPES
        yield from _default(table, name, rule)
        shaped = next((key for key in ("expression", "rename", "type") if getattr(rule, key) is not None), None)
        if table.sql is not None and shaped is not None:
            message = f"{shaped} has no effect beside sql/silver/…/{table.name}.sql"
            yield (*at, shaped), message, None, "either the SQL file or rules per column"


def _default(table: TableSpec, name: str, rule: ColumnRule) -> Iterator[Finding]:
    declared = table.extract.columns.get(name) if isinstance(table.extract, FilesExtract) else None
    for kind in (declared, rule.type):
        if rule.default is not None and kind is not None and is_primitive(kind) and not fits(rule.default, kind):
            message = f"the default is no value of the column's type {kind}"
            yield ("columns", name, "default"), message, repr(rule.default), f"a value of type {kind}"
            return


def fits(value: str | float | bool, kind: str) -> bool:
    """Whether a value that a person wrote can be read as a primitive type without loss."""
    text = str(value).strip()
    if kind == "boolean" or isinstance(value, bool):
        return kind in ("boolean", "string") and text.lower() in ("true", "false")
    if kind.startswith(("date", "time")) and _DAY.fullmatch(text) is None:
        return False
    try:
        if kind in _WHOLE:
            return -(1 << _WHOLE[kind]) <= int(_number(text)) < 1 << _WHOLE[kind]
        if kind.startswith("decimal"):
            return _fits_decimal(Decimal(_number(text)), kind)
        if kind in ("float", "double"):
            float(_number(text))
        else:
            _READERS[kind](text)
    except (ValueError, InvalidOperation):
        return False
    return True


def _number(text: str) -> str:
    """The text, unless only Python takes it for a number. :raises ValueError: for digits such as ``1_000``."""
    if "_" in text:
        raise ValueError(text)
    return text


def _fits_decimal(value: Decimal, kind: str) -> bool:
    precision, scale = map(int, kind.removeprefix("decimal(").removesuffix(")").split(","))
    exponent = value.normalize().as_tuple().exponent
    if not isinstance(exponent, int):
        return False  # NaN and infinities
    return value == 0 or (-exponent <= scale and value.adjusted() < precision - scale)
