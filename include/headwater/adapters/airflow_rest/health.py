"""What Airflow says of its own parts."""

from __future__ import annotations

from typing import Any

import httpx

from headwater.adapters.airflow_rest.session import trusting
from headwater.domain.settings import AirflowSettings

TIMEOUT_SECONDS = 1.5


def unwell(settings: AirflowSettings) -> tuple[str, ...]:
    """What is wrong with which part, for people; empty when all are healthy. Needs no login."""
    base_url = (settings.base_url or "").rstrip("/")
    try:
        believed = trusting(base_url, settings.ca_file)
        answer = httpx.get(f"{base_url}/api/v2/monitor/health", timeout=TIMEOUT_SECONDS, verify=believed)
        parts: Any = answer.json()
    except OSError as error:
        return (f"airflow.ca_file {settings.ca_file} cannot be used ({error})",)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return (f"the API server does not answer ({type(error).__name__})",)
    except ValueError:
        return ("another server than Airflow's answers there",)
    if not answer.is_success or not isinstance(parts, dict):
        return (f"the API server answers HTTP {answer.status_code}",)
    return tuple(
        f"the {name.replace('_', ' ')} is {part.get('status')}"
        for name, part in parts.items()
        # a part that this installation does not run has no status
        if isinstance(part, dict) and part.get("status") not in {"healthy", None}
    )
