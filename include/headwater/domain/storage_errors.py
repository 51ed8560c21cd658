"""Failures of the catalog and its storage: one that may pass, and those that no retry mends."""

from __future__ import annotations

from collections.abc import Mapping

from headwater.domain.errors import CatalogError


class CatalogRefusedError(CatalogError):
    """The catalog's database was reached and refused who we are, or is not who it should be (TLS)."""

    code = "catalog_refused"
    retry_helps = False


class WarehouseDownError(CatalogError):
    """The warehouse's store cannot be reached, fails, or is full."""

    code = "warehouse_down"
    retry_helps = True


class WarehouseRefusedError(CatalogError):
    """The warehouse's store was reached and refused our key, or there is no such bucket."""

    code = "warehouse_refused"
    retry_helps = False


def bucket_missing(what: str, got: str, facts: Mapping[str, str]) -> WarehouseRefusedError:
    """There is no such bucket."""
    return WarehouseRefusedError(
        f"{what}: the warehouse's bucket does not exist", got=got, facts={**facts, "part": "bucket"},
        remedy="Create the bucket, or correct `catalog.warehouse` of the profile.",
    )  # fmt: skip


def key_refused(what: str, got: str, facts: Mapping[str, str]) -> WarehouseRefusedError:
    """The key is not known, or lacks a right."""
    return WarehouseRefusedError(
        f"{what}: the warehouse's store refused the key", got=got, facts={**facts, "part": "key"},
        remedy="Give the right key to `catalog.s3` of the profile, by access_key_id and secret_access_key, or the "
        "right role to the machine; it needs to list the bucket and to read, write and delete below the prefix.",
    )  # fmt: skip


def store_untrusted(what: str, got: str, facts: Mapping[str, str]) -> WarehouseRefusedError:
    """The store's certificate is not of an authority we trust, or not for its name."""
    return WarehouseRefusedError(
        f"{what}: TLS to the warehouse's store failed", got=got, facts={**facts, "part": "TLS"},
        remedy="Set `catalog.s3.ca_file` of the profile to the authority that signed the store's certificate, and "
        "`endpoint` to a name the certificate is for.",
    )  # fmt: skip
