"""The Catalog port over pyiceberg's SQL catalog, shared with Spark's JDBC catalog of the same name."""

from __future__ import annotations

from headwater.adapters.iceberg.catalog import IcebergCatalog

__all__ = ["IcebergCatalog"]
