"""What pods of Airflow can start with: rules that a real kubelet taught, for every component of the chart."""

from __future__ import annotations

import inspect
import re
from pathlib import PurePosixPath
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it tells no types
import pytest
import yaml
from sqlalchemy import make_url
from tests.unit.helm_values.values import VALUES, composed

COMPONENTS = ("scheduler", "dagProcessor", "triggerer", "apiServer")
ENVIRONMENTS = ("dev", "prod")


def mounts(values: dict[str, Any], component: str) -> list[dict[str, Any]]:
    return list(values["volumeMounts"]) + list(values[component].get("extraVolumeMounts", ()))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("component", COMPONENTS)
def test_nothing_is_mounted_into_a_mount(environment: str, component: str) -> None:
    """Folders of Secrets and ConfigMaps are read-only: no place for another mount can be made in them."""
    paths = [PurePosixPath(mount["mountPath"]) for mount in mounts(composed("airflow", environment), component)]
    assert [str(path) for path in paths if {*path.parents} & {*paths}] == []
    assert len({*paths}) == len(paths)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("component", COMPONENTS)
def test_what_is_mounted_is_there(environment: str, component: str) -> None:
    values = composed("airflow", environment)
    volumes = {item["name"] for item in [*values["volumes"], *values[component].get("extraVolumes", ())]}
    assert {mount["name"] for mount in mounts(values, component)} <= volumes


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_files_that_the_api_server_is_told_of_are_mounted(environment: str) -> None:
    """Its certificate, its key and the logins, of which it gets a copy that it may write."""
    values = composed("airflow", environment)
    folders = {mount["mountPath"]: mount.get("readOnly", False) for mount in mounts(values, "apiServer")}
    logins = PurePosixPath(values["config"]["core"]["simple_auth_manager_passwords_file"]).parent
    assert folders[str(logins)] is False
    assert str(logins) in values["apiServer"]["args"][-1]
    for key in ("ssl_cert", "ssl_key", "ssl_ca_file"):
        path = values["config"]["api"].get(key)
        assert path is None or str(PurePosixPath(path).parent) in folders, key


def test_no_value_is_a_template() -> None:
    """A chart fills in some of its values and takes others literally: an image's name in braces starts no pod."""
    files = [path for path in VALUES.glob("*/airflow.yaml") if "{{" in path.read_text()]
    assert files == []


def test_both_drivers_of_airflows_database_know_the_options_of_their_documented_urls() -> None:
    """The URL that Airflow would make for the second one says `sslmode`, at which that driver stops."""
    text = (VALUES.parent / "docs" / "operations" / "security.md").read_text()
    urls = {
        url.drivername: url for url in map(make_url, re.findall(r"`(postgresql\+(?:psycopg2|asyncpg)://\S+)`", text))
    }
    env = yaml.safe_load(composed("airflow", "prod")["extraEnv"])
    assert [(item["name"], item["valueFrom"]["secretKeyRef"]["key"]) for item in env] == [
        ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC", "connection-async")
    ]
    assert set(urls["postgresql+asyncpg"].query) <= set(inspect.signature(asyncpg.connect).parameters)
    assert urls["postgresql+asyncpg"].query == {"ssl": urls["postgresql+psycopg2"].query["sslmode"]}
