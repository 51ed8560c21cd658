"""Whether a run is over, asked of Airflow from outside it."""

from __future__ import annotations

from headwater.adapters.airflow_rest.client import RestAirflowApi
from headwater.domain.errors import AirflowDownError
from headwater.domain.run import RunKey
from headwater.domain.settings import AirflowSettings
from headwater.ports.run_states import RunStates


class RestRunStates:
    """Airflow knows best: the record of a killed run says "running" for ever, a cleared one how it ended.

    :param recorded: asked where Airflow does not answer, or the profile names none (rule 23).
    """

    def __init__(self, settings: AirflowSettings, recorded: RunStates) -> None:
        self._settings = settings
        self._recorded = recorded

    def is_terminal(self, run_key: RunKey) -> bool:
        """True when Airflow says that the run ended, or does not know it."""
        if self._settings.base_url is None:
            return self._recorded.is_terminal(run_key)
        api = RestAirflowApi(self._settings)
        try:
            found = api.run(run_key.dag_id, run_key.run_id)
        except AirflowDownError:
            return self._recorded.is_terminal(run_key)
        finally:
            api.close()
        return found is None or found.ended
