"""Extracts that would be sound by themselves, and are not believed; and what a reconciliation finds they missed."""

from __future__ import annotations

from headwater.domain.errors import HeadwaterError, NotPermittedError


class ExtractShrunkError(HeadwaterError):
    """A full extract lost more rows than a source is believed to lose; nothing of it is staged (rule 32)."""

    code = "extract_shrunk"


class RowsHiddenError(NotPermittedError):
    """The other side would let us read a relation, and leave rows out without a word."""

    code = "rows_hidden"


class SourceDiffersError(HeadwaterError):
    """A reconciliation found rows that are lost, altered, or were never read, and that no run brings by itself."""

    code = "source_differs"
