"""From a pydantic error to one that names file, line, key, what it got, and what is allowed."""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from headwater.domain.errors import SpecError
from headwater.model.key_words import KEY_WORDS
from headwater.model.yaml_text import YamlDocument

Loc = tuple[str | int, ...]

_PASSWORD = re.compile(r"(://[^\s:/@]*:)[^\s]+(@)")
"""In an address, which people paste where an id belongs."""
_SUBJECT = re.compile(r"^(?:Input|String|Tuple|List|Dictionary|Value) should")
_OF_CODE = re.compile(r"a valid dictionary( or instance of \w+)?|a valid tuple|a valid list")


def spec_errors(error: ValidationError, model: Any, document: YamlDocument) -> list[SpecError]:
    """One SpecError per finding; unknown keys first, because a misspelt key explains the one that is missing."""
    details = sorted(error.errors(include_url=False), key=lambda detail: detail["type"] != "extra_forbidden")
    return [explain(detail, model, document, tuple(detail["loc"])) for detail in details]


def unknown_key(document: YamlDocument, path: Loc, allowed: Iterable[str]) -> SpecError:
    """Refuse a key, listing the allowed ones and the nearest of them."""
    key, names = str(path[-1]), sorted(allowed)
    near = difflib.get_close_matches(key, names, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else "remove the key"
    message = f"unknown key {key!r}"
    return SpecError(message, document.locate(path), got=key[:80], allowed=", ".join(names), remedy=remedy)


def shown(value: object) -> str:
    """What was found, bounded in length and without passwords."""
    if isinstance(value, dict):
        return "a mapping with the keys " + ", ".join(map(str, value))[:80] if value else "an empty mapping"
    return "nothing" if value is None else _PASSWORD.sub(r"\1***\2", repr(value))[:80]


def explain(detail: ErrorDetails, model: Any, document: YamlDocument, path: Loc) -> SpecError:
    """The SpecError of one finding whose place in the file is ``path``."""
    kind, loc = detail["type"], tuple(detail["loc"])
    owner = model_at(model, loc[:-1])
    if kind == "extra_forbidden":
        return unknown_key(document, path, _keys(owner) if owner else ())
    where = document.locate(path)
    if kind == "missing":
        allowed = _described(owner, str(loc[-1])) if owner else None
        return SpecError(f"the key {str(path[-1])!r} is missing", where, allowed=allowed, remedy="add the key")
    allowed = _allowed(detail, _described(owner, str(loc[-1])) if owner else None)
    near = _near(detail)
    return SpecError(_sentence(detail["msg"]), where, got=shown(detail["input"]), allowed=allowed, remedy=near)


def model_at(model: Any, loc: Sequence[str | int]) -> type[BaseModel] | None:
    """The model that holds the key after ``loc``, through mappings, lists, options and discriminated unions."""
    current = model
    for part in loc:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            current = None if field is None else field.annotation
        else:
            current = typing.get_args(current)[-1 if typing.get_origin(current) is dict else 0]
        current = _unwrapped(current)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _unwrapped(annotation: Any) -> Any:
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        options = [option for option in typing.get_args(annotation) if option is not type(None)]
        return _unwrapped(options[0])
    return annotation


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _described(model: type[BaseModel], key: str) -> str | None:
    return KEY_WORDS.get(model.__name__, {}).get(key)


def _allowed(detail: ErrorDetails, described: str | None) -> str | None:
    context = detail.get("ctx", {})
    limits = {"ge": "at least", "le": "at most", "gt": "above", "lt": "below", "min_length": "in length at least"}
    limits["max_length"] = "in length at most"
    if "expected" in context:
        return str(context["expected"])
    if "pattern" in context:
        form = f"text of the form {context['pattern']}"
        return form if described is None else f"{described}; {form}"
    found = [f"{words} {context[key]}" for key, words in limits.items() if key in context]
    types_ = {
        "string_type": "text (in quotes)",
        "tuple_type": "a list",
        "dict_type": "a mapping",
        "bool_parsing": "true or false",
        "model_type": "a mapping",
        "model_attributes_type": "a mapping",
        "float_parsing": "a number",
    }
    return found[0] if found else types_.get(detail["type"])


def _near(detail: ErrorDetails) -> str | None:
    expected = str(detail.get("ctx", {}).get("expected", ""))
    options = [part.strip(" '") for part in expected.replace(" or ", ",").split(",")]
    near = difflib.get_close_matches(str(detail["input"]), options, n=1) if expected else []
    return f"did you mean {near[0]!r}?" if near else None


def _sentence(message: str) -> str:
    said = _SUBJECT.sub("the value should", message.removeprefix("Value error, "))
    return _OF_CODE.sub(lambda found: "a mapping" if "dictionary" in found[0] else "a list", said)
