"""SQL Server and Oracle as far as their SQL goes: what is asked of them is translated, and DuckDB answers.

No server of either could be had. What is shown is that the statements mean what they should, as the parser of the
dialect and the documentation of each function understand them; that a server takes them, and writes each value as its
documentation says, is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
from sqlglot import exp, parse_one

Answers = Mapping[str, Sequence[tuple[Any, ...]]]
_STYLES = {"23": "%Y-%m-%d", "120": "%Y-%m-%d %H:%M:%S", "121": "%Y-%m-%d %H:%M:%S.%f"}
_TEXTS = ("VARCHAR", "NVARCHAR", "CHAR", "NCHAR")


@dataclass
class EmulatedSession:
    """A session that only reads. :param answers: what the catalogue and the clock say, by words of the question."""

    engine: duckdb.DuckDBPyConnection
    dialect: str
    answers: Answers
    told: str = "an emulated server"
    asked: list[str] = field(default_factory=list)

    def all(self, query: str) -> list[tuple[Any, ...]]:
        self.asked.append(query)
        for words, rows in self.answers.items():
            if words in query:
                return list(rows)
        return self.engine.cursor().execute(translated(query, self.dialect)).fetchall()

    def batches(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        yield self.all(query)

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        yield

    def close(self) -> None:
        """The engine is its maker's."""


def translated(query: str, dialect: str) -> str:
    """The statement in DuckDB's SQL."""
    rule = _tsql if dialect == "tsql" else _oracle
    return parse_one(query, dialect=dialect).transform(rule).sql(dialect="duckdb")


def _tsql(node: exp.Expr) -> exp.Expr:
    rule = next((rule for kind, rule in _TSQL.items() if isinstance(node, kind)), None)
    return node if rule is None else rule(node)


def _converted(node: exp.Convert) -> exp.Expr:
    """What CONVERT makes of a value, by type and style."""
    style, kind, inner = node.args.get("style"), node.this.this.name, node.expression
    value = inner.transform(_tsql)
    if kind in _TEXTS and style is not None and style.name in _STYLES:
        shown = _call("strftime", value, exp.Literal.string(_STYLES[style.name]))
        seven = node.this.expressions[0].name == "27"
        return exp.DPipe(this=shown, expression=exp.Literal.string("0")) if seven else shown
    if kind in _TEXTS and style is not None and style.name == "2" and isinstance(inner, (exp.Convert, exp.MD5)):
        return _call("hex", value)
    if kind in _TEXTS:
        return exp.cast(value, "VARCHAR")
    if kind == "DATETIME2" and isinstance(inner, exp.Anonymous) and inner.name == "SWITCHOFFSET":
        return _call("make_timestamp", _call("epoch_us", inner.expressions[0].transform(_tsql)))
    if kind == "BIGINT" and isinstance(inner, exp.Substring):
        first, count = (2 * int(item.name) for item in (inner.args["start"], inner.args["length"]))
        digits = _call("hex", inner.this.transform(_tsql))
        part = _call("substring", digits, exp.Literal.number(first - 1), exp.Literal.number(count))
        return exp.cast(exp.DPipe(this=exp.Literal.string("0x"), expression=part), "UBIGINT", dialect="duckdb")
    if kind == "BIGINT" and isinstance(inner, exp.Convert):
        return parse_one(f"(({value.sql('duckdb')})::DOUBLE)::BIT::BIGINT", dialect="duckdb")
    if kind == "TIMESTAMPTZ":
        return _instant(value)
    return exp.cast(value, "TIMESTAMP") if kind == "DATETIME2" else value


_TSQL: dict[type[exp.Expr], Callable[[Any], exp.Expr]] = {
    exp.Collate: lambda node: node.this.transform(_tsql),
    exp.National: lambda node: exp.Literal.string(node.name),
    exp.CurrentTimestampLTZ: lambda _: _call("now"),
    exp.Convert: _converted,
    exp.MD5: lambda node: _call("unhex", _call("md5", node.this.transform(_tsql))),
    # LEN leaves out spaces at the end
    exp.Length: lambda node: _call("length", _call("rtrim", node.this.transform(_tsql), exp.Literal.string(" "))),
    # of numbers none are added
    exp.Add: lambda node: exp.DPipe(this=node.this.transform(_tsql), expression=node.expression.transform(_tsql)),
    exp.Like: lambda node: _call("regexp_matches", node.this.transform(_tsql), exp.Literal.string("[1-9]")),
    exp.Div: lambda node: exp.IntDiv(this=node.this.transform(_tsql), expression=node.expression.transform(_tsql)),
}


def _oracle(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.StandardHash):
        return _call("unhex", _call("md5", node.this.transform(_oracle)))
    if isinstance(node, exp.ToChar):
        return _shown(node)
    if isinstance(node, exp.Systimestamp):
        return _call("now")
    if isinstance(node, exp.ToNumber):
        digits = exp.DPipe(this=exp.Literal.string("0x"), expression=node.this.transform(_oracle))
        return exp.cast(digits, "UBIGINT", dialect="duckdb")
    if isinstance(node, exp.Anonymous) and node.name.upper() in _NAMES:
        return _NAMES[node.name.upper()](*(item.transform(_oracle) for item in node.expressions))
    return node


def _shown(node: exp.ToChar) -> exp.Expr:
    value, shape = node.this.transform(_oracle), node.args.get("format")
    text = exp.cast(value, "VARCHAR")
    if shape is None or shape.name == "TM9":
        return text
    if shape.name.startswith("FM"):
        places = len(shape.name.partition(".")[2])
        return exp.cast(exp.cast(value, f"DECIMAL(38,{places})"), "VARCHAR")
    fraction = ".%f" if ".FF" in shape.name else ""
    return _call("strftime", value, exp.Literal.string(f" %Y-%m-%d %H:%M:%S{fraction}"))


def _instant(value: exp.Expr) -> exp.Expr:
    """A text with or without its zone, which stands behind a space."""
    return exp.cast(_call("replace", value, exp.Literal.string(" +"), exp.Literal.string("+")), "TIMESTAMPTZ")


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _unescaped(value: exp.Expr) -> exp.Expr:
    units = bytes.fromhex(value.name.replace("\\", ""))
    return exp.Literal.string(units.decode("utf-16-be"))


_NAMES: dict[str, Callable[..., exp.Expr]] = {
    "RAWTOHEX": lambda value: _call("hex", value),
    "LENGTH4": lambda value: _call("length", value),
    "LENGTHB": lambda value: _call("strlen", exp.cast(value, "VARCHAR")),
    "UNISTR": _unescaped,
    "SYS_EXTRACT_UTC": lambda value: _call("make_timestamp", _call("epoch_us", value)),
    "TO_TIMESTAMP_TZ": lambda value, _: _instant(value),
}
