"""Who signed the certificate of a warehouse's store, told to whoever works for a stage."""

from __future__ import annotations

from pydantic import SecretStr

from headwater.adapters.spark_applications.arguments import driver_arguments
from headwater.adapters.spark_applications.exchange import Exchange, exchange_location
from headwater.adapters.spark_applications.properties import application_properties
from headwater.adapters.spark_kubernetes.manifest import _pod, _volumes
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.spark_settings import KubernetesSettings, SecretFiles, SharedVolume
from headwater.domain.storage import S3Settings

CA_FILE = "/etc/headwater-ca/ca.crt"
EXECUTORS = "spark.executor.defaultJavaOptions"


def settings(ca_file: str | None) -> Settings:
    s3 = S3Settings(region="us-east-1", endpoint="https://store:9000", ca_file=ca_file)
    address = SecretStr("postgresql+psycopg://h/c")
    catalog = CatalogSettings(uri=address, jdbc_uri="jdbc:postgresql://h/c", warehouse="s3://lake/w", s3=s3)
    return Settings(home="h", repository="r", run_store=address, catalog=catalog, spark=SparkSettings(jars="j"))


def test_driver_executors_and_both_sides_of_the_exchange_are_told() -> None:
    given = settings(CA_FILE)
    assert exchange_location(given).endswith("&tls_ca_file_path=%2Fetc%2Fheadwater-ca%2Fca.crt")
    exchange = Exchange.of("file:///jobs", "key")
    assert driver_arguments(given, exchange, "a")["ca-file"] == CA_FILE
    # relative: the driver puts it into the folder an executor works in
    assert "-Djavax.net.ssl.trustStore=trusted.p12 " in application_properties(given, "key", "a")[EXECUTORS]


def test_without_one_the_machines_own_are_asked() -> None:
    given = settings(None)
    assert "tls_ca" not in exchange_location(given)
    assert "ca-file" not in driver_arguments(given, Exchange.of("file:///jobs", "key"), "a")
    assert EXECUTORS not in application_properties(given, "key", "a")


def test_pods_find_a_secrets_keys_as_files_that_they_cannot_write() -> None:
    files = (SecretFiles(secret="headwater-ca", path="/etc/headwater-ca"),)
    place = KubernetesSettings(image="i", volumes=(SharedVolume(claim="events", path="/events"),), secret_files=files)
    assert _volumes(place)["volumes"] == [
        {"name": "events", "persistentVolumeClaim": {"claimName": "events"}},
        {"name": "headwater-ca", "secret": {"secretName": "headwater-ca"}},
    ]
    assert _pod(place, {}, {})["volumeMounts"] == [
        {"name": "events", "mountPath": "/events"},
        {"name": "headwater-ca", "mountPath": "/etc/headwater-ca", "readOnly": True},
    ]
