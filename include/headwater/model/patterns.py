"""Regular expressions as Spark reads them (Java's), judged without Java: refused is only what is wrong in both."""

from __future__ import annotations

import re
import warnings

_WRONG_EVERYWHERE = (
    "missing ), unterminated subpattern",
    "unbalanced parenthesis",
    "unterminated character set",
    "bad escape (end of pattern)",
    "min repeat greater than max repeat",
)
_QUOTED = re.compile(r"\\Q.*?(?:\\E|\Z)", re.DOTALL)
_JAVA_ONLY = re.compile(r"\\[pPx]\{[^}]*\}|\\k<[^>]*>|\\[hHvVRXGzeN]")
"""Escapes that Python does not know; each stands for a character or a place."""
_JAVA_GROUP = re.compile(r"\(\?(?:<(?![=!])[^>]*>|[a-zA-Z]*(?:-[a-zA-Z]+)?(?P<end>[:)])|>)")


def pattern_fault(text: str) -> str | None:
    """Why no text could ever be matched against this pattern; None when it may be right."""
    if not text:
        return "an empty pattern matches every text"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(_in_python(text))
    except re.error as error:
        return f"this regular expression does not compile: {error.msg}" if _is_wrong(error) else None
    except (RecursionError, OverflowError):
        return "this regular expression is nested too deep"
    return None


def _is_wrong(error: re.error) -> bool:
    """Whether Java refuses it, too: it takes a repeated place such as ``^*``, and ranges that begin with a class."""
    if error.msg.startswith("nothing to repeat"):
        before = str(error.pattern)[: error.pos]
        return not before or before.endswith(("(", "|", "(?:"))
    if error.msg.startswith("bad character range"):
        return "\\" not in error.msg
    return error.msg.startswith(_WRONG_EVERYWHERE)


def _in_python(text: str) -> str:
    """The pattern with what only Java knows replaced by something as long that Python knows."""
    plain = _QUOTED.sub(lambda found: "q" * len(found[0]), text)
    plain = _JAVA_ONLY.sub(lambda found: "j" * len(found[0]), plain)
    return _JAVA_GROUP.sub(lambda found: "" if found["end"] == ")" else "(?:", plain)
