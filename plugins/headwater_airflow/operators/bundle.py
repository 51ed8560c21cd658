"""Which commit of the files a task works by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import Context


def bundle_version(context: Context) -> str | None:
    """Commit of the DAG bundle this task works by, where the bundle has versions.

    A run is pinned to the commit it was made from. With Airflow's pinning switched off each task takes the newest,
    and the bundle itself has to be asked which that is.
    """
    bundle = getattr(context["ti"], "bundle_instance", None)
    if bundle is None or not bundle.supports_versioning:
        return None
    if bundle.version is not None:
        return str(bundle.version)
    current = bundle.get_current_version()
    return None if current is None else str(getattr(current, "version", current))
