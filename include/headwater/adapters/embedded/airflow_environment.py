"""The environment that makes Airflow a good guest on one machine: loopback only, our Postgres, quick to notice."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headwater.adapters.embedded.bare_repository import BRANCH, SERVED

HEADWATER_AUTH_MANAGER = "headwater_airflow.auth.manager.HeadwaterAuthManager"
LOGINS = {name: name for name in ("admin", "developer", "analyst", "viewer")}
"""User -> password, which is also the user's role. Loopback only, and printed by the demo: no secret."""

STATSD = "HEADWATER_STATSD"
"""``host:port`` that metrics are sent to; without it none are."""
MAINTAIN = "HEADWATER_MAINTENANCE_SCHEDULE"
PUSHED = "pushed"
"""Name of the bundle that serves what is pushed."""


@dataclass(frozen=True)
class AirflowPlace:
    """Where an embedded Airflow keeps its files and listens."""

    home: Path
    """The home folder of Headwater (``.headwater``)."""
    repository: Path
    port: int
    database_url: str
    """``postgresql://…`` of its metadata, without a driver."""
    pushed: Path | None = None
    """A bare Git repository served beside the folder; None on a machine without Git."""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def folder(self) -> Path:
        return self.home / "airflow"

    @property
    def connections_file(self) -> Path:
        return self.home / "connections.env"


_LOCAL_SETTINGS = """# Written by Headwater: tasks of a LocalExecutor inherit what its scheduler has imported.
from headwater_airflow.preloading import preload_in_scheduler

preload_in_scheduler()
"""


def airflow_environment(place: AirflowPlace, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Every variable of the components. Airflow settings of the caller's shell do not leak in."""
    (place.folder / "plugins").mkdir(parents=True, exist_ok=True)
    (place.folder / "config").mkdir(exist_ok=True)
    (place.folder / "config" / "airflow_local_settings.py").write_text(_LOCAL_SETTINGS)
    passwords = place.folder / "passwords.json"
    passwords.write_text(json.dumps(LOGINS))
    keys = _kept_keys(place.folder / "keys.json")
    connections = {"connections_file_path": str(place.connections_file)}
    settings = {
        "core": {
            "dags_folder": str(place.repository / "dags"),
            "plugins_folder": str(place.folder / "plugins"),  # ours comes by entry point; files here would be executed
            "load_examples": "False",
            "executor": "LocalExecutor",
            "parallelism": "4",
            "fernet_key": keys["fernet"],
            "auth_manager": HEADWATER_AUTH_MANAGER,
            "simple_auth_manager_users": ",".join(f"{user}:{user}" for user in LOGINS),
            "simple_auth_manager_passwords_file": str(passwords),
            # without it every task fails as soon as the port is not 8080
            "execution_api_server_url": f"{place.base_url}/execution/",
            # a busy laptop must not lose its DAGs
            "dagbag_import_timeout": "120",
        },
        "database": {
            "sql_alchemy_conn": place.database_url.replace("postgresql://", "postgresql+psycopg2://", 1),
            "sql_alchemy_conn_async": place.database_url.replace("postgresql://", "postgresql+asyncpg://", 1),
        },
        "api": {
            "host": "127.0.0.1",
            "port": str(place.port),
            "base_url": place.base_url,
            "workers": "1",
            "secret_key": keys["secret"],
        },
        "api_auth": {"jwt_secret": keys["jwt"]},
        "logging": {"base_log_folder": str(place.home / "logs" / "airflow")},
        "scheduler": {"scheduler_idle_sleep_time": "0.1", "enable_health_check": "False"},
        "dag_processor": {
            # every pass imports the factory anew: on two cores, passes in a row would slow the tasks they describe
            "refresh_interval": "20",
            "min_file_process_interval": "20",
            # a bundle looks after its own interval; this is how soon a push into the Git one is noticed
            "bundle_refresh_check_interval": "5",
            "dag_bundle_config_list": json.dumps(_bundles(place)),
            "parsing_processes": "1",
            "dag_bundle_storage_path": str(place.folder / "bundles"),
        },
        "secrets": {
            "backend": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
            "backend_kwargs": json.dumps(connections),
        },
    }
    if STATSD in environ:
        host, _, port = environ[STATSD].rpartition(":")
        settings["metrics"] = {"statsd_on": "True", "statsd_host": host, "statsd_port": port}
        settings["metrics"]["statsd_influxdb_enabled"] = "True"  # what makes labels of tags
    ours = {
        f"AIRFLOW__{section.upper()}__{key.upper()}": value
        for section, values in settings.items()
        for key, value in values.items()
    }
    ours |= {"AIRFLOW_HOME": str(place.folder), "HEADWATER_REPOSITORY": str(place.repository)}
    ours |= {"HEADWATER_HOME": str(place.home), "HEADWATER_PROFILE": str(place.home / "profile.yaml")}
    ours |= {"HEADWATER_START_UNPAUSED": "1", "SCARF_ANALYTICS": "false"}
    # a DAG that is switched on starts at once for the night before; here somebody is watching other runs
    ours |= {MAINTAIN: environ.get(MAINTAIN, "manual")}
    return {key: value for key, value in environ.items() if not key.startswith("AIRFLOW_")} | ours


def _bundles(place: AirflowPlace) -> list[dict[str, object]]:
    """The repository's folder as it is, so that an edit is served; and what is pushed, by commit."""
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"
    folder: dict[str, object] = {"name": "dags-folder", "classpath": local, "kwargs": {}}
    if place.pushed is None:
        return [folder]
    pushed = {
        "repo_url": str(place.pushed),
        "tracking_ref": BRANCH,
        # the folder Airflow searches for DAGs, as with `dags_folder`; the factory reads the others beside it
        "subdir": "dags",
        "sparse_dirs": list(SERVED),
        "refresh_interval": 10,
    }
    return [folder, {"name": PUSHED, "classpath": "airflow.providers.git.bundles.git.GitDagBundle", "kwargs": pushed}]


def _kept_keys(path: Path) -> dict[str, str]:
    """Signing and encryption keys, made on first use in a file only we can read."""
    if not path.exists():
        fernet = base64.urlsafe_b64encode(os.urandom(32)).decode()
        keys = {"fernet": fernet, "secret": secrets.token_urlsafe(48), "jwt": secrets.token_urlsafe(64)}
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(keys, file)
    found: dict[str, str] = json.loads(path.read_text())
    return found
