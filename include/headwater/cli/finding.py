"""One finding of ``headwater doctor``."""

from __future__ import annotations

from collections.abc import Callable

from headwater.domain.base import Value
from headwater.domain.errors import HeadwaterError


class Finding(Value):
    """One thing looked at; ``fix`` says what to do when it is not fine."""

    what: str
    fine: bool
    found: str
    fix: str = ""


def explained(what: str, check: Callable[[], Finding]) -> Finding:
    """The finding of a check, or what it could not do."""
    try:
        return check()
    except HeadwaterError as error:
        return failed(what, error)


def failed(what: str, error: HeadwaterError) -> Finding:
    """The finding that is an error."""
    found = error.placed if error.got is None else f"{error.placed}: {error.got}"
    return Finding(what=what, fine=False, found=found, fix=error.remedy or "")
