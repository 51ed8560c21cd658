"""The form of an offload is read back without trusting Airflow's own check."""

from __future__ import annotations

import pytest

from headwater.domain.errors import RequestError
from headwater_airflow.operators.offloading import offload_request


def test_a_table_and_a_bound() -> None:
    asked = {"table": "shop.orders", "before": " 2020-01-01 ", "reason": None}
    assert offload_request(asked) == ("shop", "orders", "2020-01-01")


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({}, "table"),
        ({"table": "orders", "before": "2020-01-01"}, "table"),
        ({"table": "silver.shop.orders", "before": "2020-01-01"}, "table"),
        ({"table": "shop.orders\n", "before": "2020-01-01"}, "table"),
        ({"table": ["shop.orders"], "before": "2020-01-01"}, "table"),
        ({"table": "shop.orders"}, "before"),
        ({"table": "shop.orders", "before": " "}, "before"),
        ({"table": "shop.orders", "before": 2020}, "before"),
        ({"table": "shop.orders", "before": "2020-01-01", "purge": True}, "purge"),
    ],
)
def test_what_is_no_answer_is_refused_by_name(params: dict[str, object], named: str) -> None:
    with pytest.raises(RequestError, match=f"parameter {named}"):
        offload_request(params)
