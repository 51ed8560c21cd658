"""Values of PostgreSQL as its own text writes them, and as silver has them, in one comparable form."""

from __future__ import annotations

import gzip
import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any


def truth(file: Path) -> Iterator[tuple[dict[str, str], dict[str, str | None]]]:
    """(column -> PostgreSQL type, column -> PostgreSQL's text) of every row of a table."""
    with gzip.open(file, "rt") as lines:
        types = dict(json.loads(next(lines))["columns"])
        for line in lines:
            yield types, json.loads(line)


def plain(text: str | None, kind: str) -> Any:
    """A value of the truth."""
    if text is None:
        return None
    read = next((read for pattern, read in READERS.items() if re.fullmatch(pattern, kind)), str)
    return read(text)


def seen(value: Any, kind: str) -> Any:
    """A value of silver, told apart by what the source's type is."""
    if value is None:
        return None
    if kind.startswith("numeric"):
        return _number("NaN" if value == "NAN" else str(value))
    if kind == "double precision":
        return repr(value)
    if kind == "time without time zone":
        return _micros(value) if isinstance(value, str) else value
    if kind == "interval":
        return _interval(value) if isinstance(value, str) else value
    if kind.startswith("json"):
        return json.loads(value)
    if kind.endswith("[]"):
        return [None if item is None else str(item) for item in json.loads(value)]
    return bytes(value) if kind == "bytea" else value


def _interval(text: str) -> tuple[int, int, int]:
    if text.startswith("P"):
        parts = re.fullmatch(r"P(-?\d+)Y(-?\d+)M(-?\d+)DT(-?\d+)H(-?\d+)M(-?[\d.]+)S", text)
        assert parts, text
        years, months, days, hours, minutes = (int(part) for part in parts.groups()[:5])
        seconds = Decimal(parts[6])
        return years * 12 + months, days, int((hours * 3600 + minutes * 60 + seconds) * 1_000_000)
    found = {unit.rstrip("s"): int(n) for n, unit in re.findall(r"(-?\d+) (years?|mons?|days?)", text)}
    clock = re.search(r"(-?)(\d+):(\d+):([\d.]+)", text)
    micros = 0
    if clock:
        micros = int((int(clock[2]) * 3600 + int(clock[3]) * 60 + Decimal(clock[4])) * 1_000_000)
        micros = -micros if clock[1] else micros
    return found.get("year", 0) * 12 + found.get("mon", 0), found.get("day", 0), micros


def _array(text: str) -> list[str | None]:
    items = re.findall(r'"((?:[^"\\]|\\.)*)"|([^,{}]+)', text[1:-1])
    return [re.sub(r"\\(.)", r"\1", quoted) if not bare else None if bare == "NULL" else bare for quoted, bare in items]


def _number(text: str) -> str:
    """Numbers of different scales are equal."""
    return text if text == "NaN" else format(Decimal(text).normalize(), "f")


def _micros(text: str) -> int:
    hours, minutes, seconds = text.split(":")
    return int((int(hours) * 3600 + int(minutes) * 60 + Decimal(seconds)) * 1_000_000)


def _stamp(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("+00", "+00:00") if text.endswith("+00") else text).replace(tzinfo=None)


READERS: Mapping[str, Callable[[str], Any]] = {
    r"integer|bigint|smallint": int,
    r"numeric.*": _number,
    r"real": lambda text: struct.unpack("f", struct.pack("f", float(text)))[0],
    r"double precision": lambda text: repr(float(text)),
    r"boolean": lambda text: text == "true",
    r"date": date.fromisoformat,
    r"timestamp.*": _stamp,
    r"time without time zone": _micros,
    r"interval": _interval,
    r"bytea": lambda text: bytes.fromhex(text[2:]),
    r"jsonb?": json.loads,
    r".*\[\]": _array,
    r"inet": lambda text: text.removesuffix("/32"),
}
