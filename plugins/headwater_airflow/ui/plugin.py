"""The one Airflow plugin of Headwater, registered by entry point (rule 43)."""

from __future__ import annotations

from typing import Any

from airflow.sdk.plugins_manager import AirflowPlugin

from headwater_airflow.ui.links import PREFIX, IncidentLink, ReleaseLink


class _PagesApp:
    """The plugin's FastAPI app, imported by the API server only: every task process loads plugins, too."""

    def __get__(self, plugin: object, owner: type | None = None) -> list[dict[str, Any]]:
        from headwater_airflow.ui.app import app

        return [{"app": app, "url_prefix": PREFIX, "name": "Headwater"}]


class HeadwaterPlugin(AirflowPlugin):
    """Headwater's page and the links of its tasks."""

    name = "headwater"
    fastapi_apps = _PagesApp()
    operator_extra_links = [ReleaseLink(), IncidentLink()]  # noqa: RUF012 - the base declares no ClassVar
    # without a url_route, in a tab of its own: Airflow's frame keeps every link inside, those to Airflow's pages, too
    external_views = [  # noqa: RUF012 - the base declares no ClassVar
        {"name": "Headwater", "href": f"{PREFIX}/", "destination": "nav"}
    ]
