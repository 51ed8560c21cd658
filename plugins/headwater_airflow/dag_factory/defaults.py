"""What all DAGs of Headwater have in common."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from headwater_airflow.callbacks import report_failure

START_DATE = datetime(2024, 1, 1, tzinfo=UTC)
"""Fixed, and without catchup meaningless: windows come from state (rule 9)."""
START_UNPAUSED = "HEADWATER_START_UNPAUSED"


def task_defaults(owner: str) -> dict[str, Any]:
    """Retries mend what passes; errors a retry cannot mend end the task at once (``operators/failing.py``)."""
    return {
        "owner": owner,
        "retries": 2,
        "retry_delay": timedelta(seconds=20),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=5),
        "execution_timeout": timedelta(hours=6),
        "on_failure_callback": report_failure,
    }


def starts_paused() -> bool:
    """Whether a new DAG waits for somebody to switch it on: yes, unless the environment says otherwise."""
    return os.environ.get(START_UNPAUSED, "").lower() not in {"1", "true"}
