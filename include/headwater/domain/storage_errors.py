"""Failures of the catalog and its storage that no retry mends: somebody has to give another key or password."""

from __future__ import annotations

from headwater.domain.errors import CatalogError


class CatalogRefusedError(CatalogError):
    """The catalog's database was reached and refused who we are, or is not who it should be (TLS)."""

    code = "catalog_refused"
    retry_helps = False


class WarehouseRefusedError(CatalogError):
    """The warehouse's store was reached and refused our key, or there is no such bucket."""

    code = "warehouse_refused"
    retry_helps = False
