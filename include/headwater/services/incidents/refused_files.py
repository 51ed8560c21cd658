"""Files of the repository that give no DAG: told once to the platform team, closed when all load again.

Their own owners stand in the very files that cannot be read. Airflow shows them as import errors, which nobody is told;
and a DAG whose file stays wrong is held for gone, so that its runs at work stand still.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from headwater.domain.errors import SpecError
from headwater.services.incidents.context import PLATFORM_PIPELINE
from headwater.services.incidents.desk import IncidentDesk
from headwater.services.incidents.failure import FailureContext, failure

CAUSE = "files_refused"
_MOST_FILES_NAMED = 5


def check_files(desk: IncidentDesk, errors: Sequence[SpecError]) -> int:
    """Open, update or close the incident of files that do not load; returns how many files there are.

    The same errors again are no news; others are, and count it up.
    """
    files = sorted({error.where.file for error in errors if error.where is not None})
    now = desk.clock.now()
    open_ones = [
        incident
        for incident in desk.store.list(status="open", pipeline=PLATFORM_PIPELINE, limit=1000)
        if incident.cause == CAUSE
    ]
    if not errors:
        for incident in open_ones:
            desk.store.close(incident.id, "every file loads again", now)
        return 0
    state = hashlib.sha256("\n".join(sorted(map(str, errors))).encode()).hexdigest()[:16]
    if all(incident.facts.get("state") != state for incident in open_ones):
        context = FailureContext(
            pipeline=PLATFORM_PIPELINE, run_id=f"{now:%Y-%m-%dT%H:%M}", task_id="files", seen_at=now
        )
        message, facts = _told(errors, files)
        desk.report(failure(context, CAUSE, message, facts | {"state": state}))
    return len(files)


def _told(errors: Sequence[SpecError], files: list[str]) -> tuple[str, dict[str, str]]:
    more = len(files) - _MOST_FILES_NAMED
    named = ", ".join(files[:_MOST_FILES_NAMED]) + (f" and {more} more" if more > 0 else "")
    first = str(errors[0]).splitlines()[0]
    message = f"{len(errors)} findings in {named or 'the repository'}; the first: {first}"
    return message, {"files": named, "first": first}
