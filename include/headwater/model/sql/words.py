"""Words a transform may not use, because a retry would give another answer (rule 37), or because they leave SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from headwater.domain.errors import Location, SpecError

if TYPE_CHECKING:
    from sqlglot.tokenizer_core import Token

_CLOCKS = frozenset(
    {"now", "curdate", "current_date", "current_time", "current_timestamp", "localtimestamp", "current_timezone"}
)
_CHANCE = frozenset({"rand", "random", "randn", "randstr", "uniform", "uuid", "shuffle"})
_SURROUNDINGS = frozenset(
    {"monotonically_increasing_id", "spark_partition_id", "input_file_name", "input_file_block_start", "version"}
    | {"input_file_block_length", "current_user", "session_user", "user", "current_catalog", "current_database"}
    | {"current_schema", "reflect", "java_method", "try_reflect"}
)
_CALLS = _CLOCKS | _CHANCE | _SURROUNDINGS
_BARE = frozenset(
    ("current_date", "current_time", "current_timestamp", "localtimestamp", "current_user", "session_user")
)
_CLOCK_WITHOUT_ARGUMENT = frozenset({"unix_timestamp", "to_unix_timestamp"})
_PAIRS = {"R_PAREN": "L_PAREN", "R_BRACKET": "L_BRACKET", "R_BRACE": "L_BRACE"}
MAX_NESTING = 32
"""Levels of parentheses. The parser calls itself a dozen times for each, within the stack that a task leaves it."""
NESTED_TOO_DEEP = f"this SQL is nested too deep: write it with at most {MAX_NESTING} levels"
_TEMPLATE = re.compile(r"\{\{|\{%|\{#|\$\{")
_REMEDY = "the only clock of a run is :planned_at; a transform has no other source of chance or surroundings"


def unsteady_words(tokens: Sequence[Token], text: str, file: str) -> Iterator[SpecError]:
    """Templates, clocks, chance and surroundings in a SQL text, each with its line."""
    template = _TEMPLATE.search(text)
    if template is not None:
        line = text.count("\n", 0, template.start()) + 1
        yield SpecError("templates are refused in SQL", Location(file, line), got=template[0], allowed="plain SQL")
    for index, token in enumerate(tokens):
        if _is_unsteady([*tokens[max(0, index - 1) : index]], token, tokens[index + 1 : index + 3]):
            word = token.text.lower()
            message = f"{word} gives another answer when a run is repeated"
            yield SpecError(message, Location(file, token.line), got=word, allowed=":planned_at", remedy=_REMEDY)


def nesting_fault(tokens: Sequence[Token]) -> tuple[str, int] | None:
    """What is wrong with the parentheses and brackets, and on which line; the parser forgives a missing partner."""
    alone = "this is not valid Spark SQL: a parenthesis has no partner"
    opened: list[Token] = []
    for token in tokens:
        kind = token.token_type.name
        if kind in _PAIRS.values():
            opened.append(token)
            if len(opened) > MAX_NESTING:
                return NESTED_TOO_DEEP, token.line
        elif kind in _PAIRS and (not opened or opened.pop().token_type.name != _PAIRS[kind]):
            return alone, token.line
    return (alone, opened[-1].line) if opened else None


def _is_unsteady(before: Sequence[Token], token: Token, after: Sequence[Token]) -> bool:
    kind, word = token.token_type.name, token.text.lower()
    if kind in {"STRING", "IDENTIFIER"} or (before and before[0].token_type.name in {"DOT", "ALIAS", "COLON"}):
        return False
    followers = [follower.token_type.name for follower in after]
    if followers[:1] != ["L_PAREN"]:
        return word in _BARE and followers[:1] != ["DOT"]
    return word in _CALLS or (word in _CLOCK_WITHOUT_ARGUMENT and followers[1:] == ["R_PAREN"])
