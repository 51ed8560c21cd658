"""The base of every value that crosses a boundary."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen value that refuses unknown keys and round-trips through JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
