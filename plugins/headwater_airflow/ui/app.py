"""Headwater's pages inside Airflow's API server, for people who are logged in and may read the DAG."""

from __future__ import annotations

from typing import Annotated

from airflow.api_fastapi.core_api.security import get_user, requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse

from headwater.domain.errors import HeadwaterError
from headwater_airflow.ui import pages
from headwater_airflow.ui.reading import Reader, open_reader

Reading = Annotated[Reader, Depends(open_reader)]
_MAY_READ_DAG = [Depends(requires_access_dag("GET"))]
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}

# Airflow leaves the apps of plugins open to everybody; get_user answers 401 to whoever is not logged in
app = FastAPI(title="Headwater", dependencies=[Depends(get_user)], docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/")
def overview(request: Request, reader: Reading) -> HTMLResponse:
    """Open incidents and the newest runs."""
    runs, open_incidents = reader.recent()
    return _html(pages.overview(_base(request), runs, open_incidents))


@app.get("/runs/{dag_id}/{run_id}/release", dependencies=_MAY_READ_DAG)
def release_of_run(request: Request, dag_id: str, run_id: str, reader: Reading) -> HTMLResponse:
    """What a run made visible, and what its files changed of the tables that were there."""
    changes = reader.changes_of(dag_id, run_id)
    return _html(pages.releases(_base(request), dag_id, run_id, reader.releases_of(dag_id, run_id), changes))


@app.get("/runs/{dag_id}/{run_id}/incidents", dependencies=_MAY_READ_DAG)
def incidents_of_run(request: Request, dag_id: str, run_id: str, reader: Reading) -> HTMLResponse:
    """What went wrong in a run."""
    return _html(pages.incidents(_base(request), dag_id, run_id, reader.incidents_of(dag_id, run_id)))


@app.get("/releases/{release_id}")
def release(request: Request, release_id: str, reader: Reading) -> HTMLResponse:
    """One release."""
    found = reader.release(release_id)
    if found is None:
        raise HTTPException(404, f"there is no release {release_id}")
    return _html(pages.release(_base(request), found))


@app.get("/incidents/{incident_id}")
def incident(request: Request, incident_id: int, reader: Reading) -> HTMLResponse:
    """One incident."""
    found = reader.incident(incident_id)
    if found is None:
        raise HTTPException(404, f"there is no incident {incident_id}")
    return _html(pages.incident(_base(request), found))


@app.exception_handler(HeadwaterError)
def unavailable(_: Request, error: HeadwaterError) -> HTMLResponse:
    """Say what is wrong with the installation, as everywhere else."""
    return _html(pages.explanation(error), status=503)


def _base(request: Request) -> str:
    """Where the pages are mounted."""
    return str(request.scope["root_path"])


def _html(text: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(text, status, headers=_HEADERS)
