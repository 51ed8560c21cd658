"""Whether a run is over, asked of Airflow from outside it."""

from __future__ import annotations

from headwater.adapters.airflow_rest.client import RestAirflowApi
from headwater.domain.errors import AirflowDownError
from headwater.domain.run import RunKey
from headwater.domain.settings import AirflowSettings
from headwater.ports.run_states import RunStates


class RestRunStates:
    """The record of a run that was killed says "running" for ever; Airflow knows better (rule 23).

    :param recorded: asked first; what it says is over, is over.
    """

    def __init__(self, settings: AirflowSettings, recorded: RunStates) -> None:
        self._settings = settings
        self._recorded = recorded

    def is_terminal(self, run_key: RunKey) -> bool:
        """Airflow that does not answer says nothing: the run may well be going on."""
        if self._recorded.is_terminal(run_key):
            return True
        if self._settings.base_url is None:
            return False
        api = RestAirflowApi(self._settings)
        try:
            found = api.run(run_key.dag_id, run_key.run_id)
        except AirflowDownError:
            return False
        finally:
            api.close()
        return found is None or found.ended
