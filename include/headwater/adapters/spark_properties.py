"""What every engine tells Spark, wherever it runs: how our jobs are planned, and where the catalog and its lake are."""

from __future__ import annotations

from headwater.domain.names import CATALOG
from headwater.domain.settings import CatalogSettings, SparkSettings
from headwater.domain.storage import S3Settings


def planning_properties(spark: SparkSettings) -> dict[str, str]:
    """How our jobs are planned and told of. Holds no secret."""
    return {
        "spark.log.level": "WARN",
        # tables of one job run side by side: one slow query must not hold back the others
        "spark.scheduler.mode": "FAIR",
        "spark.sql.shuffle.partitions": str(spark.shuffle_partitions),
        # a refine of a few tables compiles more classes than the default of 100 keeps, and then compiles them anew
        "spark.sql.codegen.cache.maxEntries": "1000",
        # plans of wide MERGEs: inferring constraints of every alias costs more than it ever saves here
        "spark.sql.constraintPropagation.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.defaultCatalog": CATALOG,
    }


def catalog_properties(catalog: CatalogSettings) -> dict[str, str]:
    """Every property of the catalog. Holds secrets: written only to a file of mode 0600.

    Whatever begins with ``jdbc.`` goes to the driver as it is, so TLS is said in its own words.
    """
    lake = f"spark.sql.catalog.{CATALOG}"
    jdbc = {"user": catalog.jdbc_user, "password": catalog.jdbc_password.get_secret_value()}
    jdbc |= catalog.tls.parameters if catalog.tls else {}
    found = {
        "catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
        "uri": catalog.jdbc_uri,
        "jdbc.schema-version": "V1",
        "warehouse": catalog.warehouse,
        "cache-enabled": "false",
        **{f"jdbc.{name}": value for name, value in jdbc.items() if value},
        **({} if catalog.s3 is None else _s3(catalog.s3)),
    }
    return {lake: "org.apache.iceberg.spark.SparkCatalog", **{f"{lake}.{key}": value for key, value in found.items()}}


def _s3(s3: S3Settings) -> dict[str, str]:
    """Without a key Spark looks for the machine's own in the places Amazon's library knows."""
    found = {
        "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        "client.region": s3.region,
        "s3.endpoint": s3.endpoint or "",
        "s3.path-style-access": str(s3.by_path).lower(),
        "s3.access-key-id": s3.access_key_id.get_secret_value(),
        "s3.secret-access-key": s3.secret_access_key.get_secret_value(),
        "s3.session-token": s3.session_token.get_secret_value(),
        # as patient as Python with a store that throttles
        "s3.retry.num-retries": "8",
        "s3.retry.min-wait-ms": "100",
    }
    return {key: value for key, value in found.items() if value}
