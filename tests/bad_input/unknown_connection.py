"""A connection that nobody has made yet: only a run may ask for it."""

from __future__ import annotations

from tests.bad_input.bad_input import BadInput

UNKNOWN = "unknown connection"
UNREAD = "at the source, unread"

VALIDATED = BadInput(UNKNOWN, "headwater validate", outcome="not checked", code=None, exit_status=0, rows=UNREAD)
PARSED = BadInput(UNKNOWN, "parsing the DAG", outcome="not checked", code=None, exit_status=0, rows=UNREAD)
RUN = BadInput(UNKNOWN, "preflight", code="connection_missing", rows=UNREAD)

UNKNOWN_CONNECTION = (VALIDATED, PARSED, RUN)
