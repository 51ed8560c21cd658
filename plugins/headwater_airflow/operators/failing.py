"""How a failure reaches Airflow: retried only where that can help, with the explanation kept as its cause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException

from headwater.domain.errors import HeadwaterError


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Pass on what a retry may mend; end the task at once for everything Headwater knows a retry cannot mend.

    :raises AirflowFailException: from the explained error, which callbacks find as its cause.
    """
    try:
        yield
    except HeadwaterError as error:
        if error.retry_helps:
            raise
        raise AirflowFailException(str(error)) from error
