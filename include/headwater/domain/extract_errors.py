"""Extracts that are sound by themselves, and not believed."""

from __future__ import annotations

from headwater.domain.errors import HeadwaterError


class ExtractShrunkError(HeadwaterError):
    """A full extract lost more rows than a source is believed to lose; nothing of it is staged (rule 32)."""

    code = "extract_shrunk"
