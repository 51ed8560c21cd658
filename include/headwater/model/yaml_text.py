"""YAML as Headwater reads it: plain mappings, lists and scalars, each with its place in the file.

Refused, with file, line and key: duplicate keys, anchors, aliases, tags, merge keys, keys and values that YAML quietly
turns into something else (``no``, ``012``, ``1:30``), several documents, templates, and anything but bounded UTF-8.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from headwater.domain.errors import Location, SpecError
from headwater.model.yaml_faults import explained
from headwater.model.yaml_guards import guard_structure, readable_text

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX = "tag:yaml.org,2002:"
_STRING, _INTEGER, _FLOAT = f"{_PREFIX}str", f"{_PREFIX}int", f"{_PREFIX}float"
_BOOLEAN, _NULL, _MERGE = f"{_PREFIX}bool", f"{_PREFIX}null", f"{_PREFIX}merge"
_TIMESTAMP = f"{_PREFIX}timestamp"
_AS_WRITTEN = {_STRING, _TIMESTAMP, f"{_PREFIX}value"}
_PLAIN_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_PLAIN_FLOAT = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?")
MAX_DEPTH = 32

Path_ = tuple[str | int, ...]


class YamlDocument:
    """A parsed file: its plain ``value``, and where each key of it stands."""

    def __init__(self, file: str, root: yaml.Node) -> None:
        self.file = file
        self._root = root
        self.value: Any = _plain(root, file, ())

    def locate(self, path: Sequence[str | int]) -> Location:
        """The place of a key; of its nearest existing parent when the key itself is absent."""
        line, node = self._root.start_mark.line, self._root
        for part in path:
            found = _child(node, part)
            if found is None:
                break
            line, node = found
        return Location(self.file, line + 1, dotted(path))


def read_yaml(path: Path, display: str) -> YamlDocument:
    """Read one file; ``display`` is how errors name it.

    :raises SpecError: for everything this module refuses, and when the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SpecError(f"the file cannot be read: {error.strerror}", Location(display)) from error
    return parse_yaml(content, display)


def parse_yaml(content: bytes, display: str, *, dates_as_text: bool = True) -> YamlDocument:
    """Parse the bytes of one file.

    :param dates_as_text: take an unquoted date as the text it is; otherwise refuse it.
    :raises SpecError: for everything this module refuses.
    """
    text = readable_text(content, display)
    try:
        guard_structure(text, display, _LOADER)
        loader = _LOADER(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise explained(error, text, display) from error
    if root is None:
        raise SpecError("the file is empty", Location(display, 1), remedy="write the YAML, or remove the file")
    document = YamlDocument(display, root)
    if not dates_as_text:
        _refuse_dates(root, display)
    return document


def dotted(path: Sequence[str | int]) -> str | None:
    """``tables.flights.key[0]``: how people name a key."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".") or None


def _refuse_dates(root: yaml.Node, file: str) -> None:
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if node.tag == _TIMESTAMP:
            raise _refusal("an unquoted date is no text", node, file, (), f'a date in quotes: "{node.value}"')
        if isinstance(node, yaml.MappingNode):
            nodes += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            nodes += node.value


def _child(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key.start_mark.line, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line, node.value[part]
    return None


def _plain(node: yaml.Node, file: str, path: Path_) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, file, path)
    if len(path) > MAX_DEPTH:
        raise _refusal(f"nested deeper than {MAX_DEPTH} levels", node, file, path)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, file, (*path, index)) for index, item in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key, value in node.value:
        name = key.value
        if key.tag != _STRING:
            raise _key_refusal(key, file, path)
        if name in result:
            raise _refusal(f"the key {name!r} is written twice", key, file, (*path, name), "each key once")
        result[name] = _plain(value, file, (*path, name))
    return result


def _scalar(node: yaml.ScalarNode, file: str, path: Path_) -> Any:
    tag, text = node.tag, node.value
    if tag in _AS_WRITTEN:
        if "\0" in text:
            raise _refusal("the text holds a NUL character, which no database keeps", node, file, path, "text")
        return text
    if tag == _NULL:
        return None
    if tag == _BOOLEAN and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if tag == _INTEGER and _PLAIN_INTEGER.fullmatch(text) and len(text) < 40:
        return int(text)
    if tag == _FLOAT and _PLAIN_FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    allowed = "true or false, a plain decimal number, or text in quotes"
    raise _refusal(f"YAML would quietly read {text!r} as a {tag.removeprefix(_PREFIX)}", node, file, path, allowed)


def _key_refusal(key: yaml.Node, file: str, path: Path_) -> SpecError:
    if key.tag == _MERGE:
        return _refusal("merge keys (<<) are refused", key, file, path, "every key written out")
    if not isinstance(key, yaml.ScalarNode):
        return _refusal("a list or mapping cannot be a key", key, file, path, "a text key")
    kind = key.tag.removeprefix(_PREFIX)
    message = f"YAML reads the key {key.value!r} as a {kind}, not as text"
    return _refusal(message, key, file, (*path, key.value), f'a text key; quote it: "{key.value}"')


def _refusal(message: str, node: yaml.Node, file: str, path: Path_, allowed: str | None = None) -> SpecError:
    got = repr(node.value)[:80] if isinstance(node, yaml.ScalarNode) else None
    return SpecError(message, Location(file, node.start_mark.line + 1, dotted(path)), got=got, allowed=allowed)
