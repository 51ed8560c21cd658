"""The connection type of a landing folder: where files of a source arrive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.sdk import BaseHook


class LandingFolderHook(BaseHook):
    """A folder files arrive in.

    :param landing_conn_id: a connection of type ``headwater_landing`` whose extra ``path`` is the folder.
    """

    conn_name_attr = "landing_conn_id"
    default_conn_name = "headwater_landing_default"
    conn_type = "headwater_landing"
    hook_name = "Headwater landing folder"

    def __init__(self, landing_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.landing_conn_id = landing_conn_id

    def get_conn(self) -> Path:
        """The folder."""
        return Path(str(self.get_connection(self.landing_conn_id).extra_dejson.get("path", "")))

    def test_connection(self) -> tuple[bool, str]:
        """Whether the folder can be listed from here; shown by the page of connections."""
        folder = self.get_conn()
        if folder == Path():
            return False, "The extra `path` is empty."
        try:
            found = sum(1 for _ in folder.iterdir())
        except OSError as error:
            return False, f"{folder}: {error.strerror}"
        return True, f"{folder} holds {found} entries."
