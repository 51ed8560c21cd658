"""Tables of every option of an extract, made from the models: what guides show is what is understood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from headwater.domain.duration import format_duration
from headwater.domain.external import ExternalJob
from headwater.domain.spec import ExternalExtract, FilesExtract, SqlExtract
from headwater.model.key_words import KEY_WORDS

OPTIONS: Mapping[str, type[BaseModel]] = {
    "sql": SqlExtract,
    "files": FilesExtract,
    "external": ExternalExtract,
    "job": ExternalJob,
}
_UNITS = {"_bytes": "bytes", "_share": "share of rows", "_files": "files", "_rows": "rows", "_expansion": "times",
          "_seconds": "seconds"}  # fmt: skip
_REGION = re.compile(r"(<!-- options: (\w+)[^>]* -->\n)(.*?)(<!-- end of options -->)", re.DOTALL)


def option_table(kind: str) -> str:
    """A Markdown table of every option of an extract: its values, default, unit and meaning."""
    model = OPTIONS[kind]
    lines = ["| option | values | default | unit | meaning |", "|---|---|---|---|---|"]
    for name, field in model.model_fields.items():
        words = KEY_WORDS[model.__name__][name]
        cells = (f"`{name}`", _values(field), _default(field), _unit(name, field), words)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def with_tables(text: str) -> str:
    """A guide with its tables of options made anew."""
    return _REGION.sub(lambda match: f"{match[1]}\n{option_table(match[2])}\n{match[4]}", text)


def rewrite_tables(folder: Path) -> tuple[Path, ...]:
    """Make the tables of all guides below a folder anew; returns those that changed."""
    changed = []
    for path in sorted(folder.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if (new := with_tables(text)) != text:
            path.write_text(new, encoding="utf-8")
            changed.append(path)
    return tuple(changed)


def _kind(annotation: Any) -> Any:
    """The annotation without ``None``."""
    if get_origin(annotation) in (Union, UnionType):
        return next(item for item in get_args(annotation) if item is not type(None))
    return annotation


def _values(field: FieldInfo) -> str:
    kind = _kind(field.annotation)
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    bounds = {name: getattr(item, name) for item in field.metadata for name in ("ge", "le", "max_length")
              if hasattr(item, name)}  # fmt: skip
    if kind in (int, float):
        return f"{bounds['ge']:,} to {bounds['le']:,}" if {"ge", "le"} <= set(bounds) else "a number"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "options of its own"
    if kind is str and bounds.get("max_length") == 1:
        return "one character"
    names = {bool: "`true`, `false`", str: "text", timedelta: "a duration"}
    return names.get(kind, "by column name" if get_origin(kind) is dict else "a list")


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, timedelta):
        return f"`{format_duration(value)}`"
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:,}`" if isinstance(value, int) else f"`{value}`"


def _unit(name: str, field: FieldInfo) -> str:
    if _kind(field.annotation) is timedelta:
        return "`s` `m` `h` `d` `w`"
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")
