"""What is refused before a YAML file is composed: unreadable bytes, templates, anchors, tags, bombs."""

from __future__ import annotations

import re
from typing import Any

import yaml

from headwater.domain.errors import Location, SpecError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
_SMALL = 2048
"""Below this many characters no nesting is deep enough to exhaust the C composer's stack."""
_SUSPECT = re.compile(r"(?:^|[\s\[{,])(?:[&*!][^\s]|! )")
_TEMPLATE = re.compile(r"\{\{|\{%")
_PIECES = {"&": "an anchor", "*": "an alias", "!": "a tag"}
_PLAIN = "plain keys and values, written out; quote text that starts with &, * or !"


def readable_text(content: bytes, display: str, *, templates: bool = False) -> str:
    """The text of a file that is UTF-8, of bounded size, without NUL and, unless allowed here, without templates.

    :raises SpecError: naming the line.
    """
    if len(content) > MAX_BYTES:
        limit = f"at most {MAX_BYTES // 1024} KiB"
        raise SpecError("the file is too large", Location(display), got=f"{len(content)} bytes", allowed=limit)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        got = f"byte 0x{content[error.start]:02x}"
        raise SpecError("the file is not valid UTF-8", Location(display, line), got=got, allowed="UTF-8") from error
    if "\0" in text:
        raise SpecError("the file holds a NUL character", _at(text, text.index("\0"), display), allowed="text")
    template = _TEMPLATE.search(text) if not templates and "{" in text else None
    if template is not None:
        where = _at(text, template.start(), display)
        raise SpecError("templates are refused", where, got=template[0], allowed="plain values; nothing is rendered")
    return text


def guard_structure(text: str, display: str, loader: Any) -> None:
    """Refuse anchors, aliases, tags, directives and deep nesting, which the composer would follow.

    Costs a scan of the events only for files that could hold one.

    :raises SpecError: naming the line.
    """
    if len(text) < _SMALL and _SUSPECT.search(text) is None:
        return
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        piece = _refused_piece(event)
        line = event.start_mark.line + 1 if event.start_mark else None
        if piece is not None:
            raise SpecError(f"{_PIECES[piece]} is refused", Location(display, line), got=piece, allowed=_PLAIN)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise SpecError(f"nested deeper than {MAX_DEPTH} levels", Location(display, line))


def _refused_piece(event: Any) -> str | None:
    if isinstance(event, yaml.AliasEvent):
        return "*"
    if getattr(event, "anchor", None) is not None:
        return "&"
    return "!" if getattr(event, "tag", None) is not None else None


def _at(text: str, index: int, display: str) -> Location:
    return Location(display, text.count("\n", 0, index) + 1)
