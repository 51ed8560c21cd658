"""Tables as Airflow assets: doorbells that say a table changed, never the source of what changed (rule 39).

The first ``Asset`` of a process makes Airflow import the asset handlers of every provider (boto3 among them, about a
second). Chains therefore name an ``AssetAlias`` only; assets are made by schedules and by a publish.
"""

from __future__ import annotations

from airflow.sdk import Asset, AssetAlias

from headwater.domain.names import TableName


def asset_of(table: TableName) -> Asset:
    """The asset of a table; its URI becomes the table's DataHub URN."""
    return Asset(name=table.dotted, uri=table.asset_uri, group=table.layer.value)


def releases_of(pipeline: str) -> AssetAlias:
    """What a publish of the pipeline adds its changed tables to."""
    return AssetAlias(name=f"releases_of_{pipeline}", group="headwater")
