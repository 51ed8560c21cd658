"""The part of Soda's contract language that Headwater accepts, as tables of keys.

Left out on purpose: ``optional`` (documented, and ignored by the engine), scopes (they replace the filter of the whole
contract) and everything of Soda Cloud.
"""

from __future__ import annotations

TOP_KEYS = frozenset({"dataset", "description", "filter", "variables", "columns", "checks"})
COLUMN_KEYS = frozenset({"name", "description", "data_type", "character_maximum_length", "checks"})
_COMMON = frozenset({"name", "qualifier", "attributes", "threshold", "filter"})
_VALID = frozenset({"valid_values", "valid_format", "invalid_values", "invalid_format", "valid_reference_data"})
_RANGES = frozenset({"valid_length", "valid_min_length", "valid_max_length", "valid_min", "valid_max"})
VALIDITY = _VALID | _RANGES
"""Keys of which an ``invalid`` check needs one."""
_QUERY = frozenset({"expression", "query"})

DATASET_CHECKS = {
    "schema": _COMMON | {"allow_extra_columns", "allow_other_column_order"},
    "row_count": _COMMON,
    "freshness": _COMMON | {"column"},
    "duplicate": _COMMON | {"columns"},
    "failed_rows": _COMMON | _QUERY | {"rows_tested_query", "keys_query", "key_column_mapping"},
    "metric": _COMMON | _QUERY,
}
COLUMN_CHECKS = {
    "missing": _COMMON | {"missing_values", "missing_format"},
    "invalid": _COMMON | VALIDITY,
    "duplicate": _COMMON,
    "aggregate": _COMMON | {"function"},
    "failed_rows": DATASET_CHECKS["failed_rows"],
    "metric": DATASET_CHECKS["metric"],
}
COMPARISONS = frozenset(
    {"must_be", "must_not_be", "must_be_greater_than", "must_be_greater_than_or_equal", "must_be_less_than"}
    | {"must_be_less_than_or_equal", "must_be_between", "must_be_not_between"}
)
THRESHOLD_KEYS = COMPARISONS | {"metric", "unit", "level", "additional"}
LENGTHS = ("valid_length", "valid_min_length", "valid_max_length")
FORMATS = ("valid_format", "invalid_format", "missing_format")
COUNTS = frozenset({"missing", "invalid", "duplicate", "failed_rows", "row_count"})
"""Checks whose result is a number of rows, or a percentage of them: never below 0."""
ON_FAILURE = "on_failure"
QUARANTINE = "quarantine"
NEEDS_THRESHOLD = frozenset({"aggregate", "metric", "freshness", "row_count"})
"""Checks whose result is a number that only a threshold can judge; a row count without one asks for any row."""
