"""Run a Soda contract against a view, and give back what Soda said, unsoftened."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pyspark.sql import SparkSession

from headwater.domain.errors import GateError

os.environ.setdefault("SODA_CORE_TELEMETRY_ENABLED", "false")  # before Soda is imported, or it reports home
_PASSING = {"PASSED", "WARNED"}


@dataclass(frozen=True, slots=True)
class SodaSaid:
    """One contract's outcome in Soda's own words. ``checks`` are its check results."""

    status: str
    errors: tuple[str, ...]
    checks: tuple[Any, ...]

    @property
    def is_passing(self) -> bool:
        return self.status in _PASSING and not self.errors


def redirect(contract: str, view: str) -> str:
    """The contract with its dataset pointing at the view.

    :raises GateError: when the contract is no mapping or names no dataset.
    """
    content = yaml.safe_load(contract)
    if not isinstance(content, dict) or not isinstance(content.get("dataset"), str):
        raise GateError("the contract names no dataset", got=str(type(content).__name__), allowed="dataset: lake/…")
    return yaml.safe_dump({**content, "dataset": f"lake/{view}"}, sort_keys=False, allow_unicode=True)


def verify(spark: SparkSession, contract: str, view: str) -> SodaSaid:
    """Evaluate the contract on the view.

    :raises GateError: when Soda gives anything but one result.
    """
    from soda_core.contracts import verify_contract_locally
    from soda_sparkdf.common.data_sources.sparkdf_data_source import SparkDataFrameDataSourceImpl

    source = SparkDataFrameDataSourceImpl.from_existing_session(session=spark, name="lake")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contract.yml"
        path.write_text(redirect(contract, view))
        said = verify_contract_locally(data_sources=[source], contract_file_path=str(path), publish=False)
    if len(said.contract_verification_results) != 1:
        raise GateError("Soda gave no result for the contract", got=_errors(said)[:500])
    result = said.contract_verification_results[0]
    errors = tuple(_errors(said).splitlines()) if said.has_errors else ()
    return SodaSaid(result.status.name, errors, tuple(result.check_results))


def _errors(said: Any) -> str:
    return str(said.get_errors_str() or "")
