"""Names of physical tables beside the ones that tables' names stand for (rule 14)."""

from __future__ import annotations

import pytest

from headwater.domain.names import PhysicalName, TableName


def test_a_physical_table_has_an_identifier_no_pipeline_can_give() -> None:
    """In words, and as an asset, it is the table."""
    table = TableName.parse("silver.flights.flights")
    staged, replaced = table.at("hw_0123abcd"), table.at("was_0123abcd")
    assert staged.iceberg == "lake.silver.flights__flights__hw_0123abcd"
    assert (str(staged), staged.urn, staged.asset_uri) == (str(table), table.urn, table.asset_uri)
    assert isinstance(staged, PhysicalName)
    assert isinstance(replaced, PhysicalName)
    assert (staged.is_replaced, replaced.is_replaced) == (False, True)
    assert (staged.name, table.at(None)) == (table, table)
    assert len({table, staged, replaced}) == 3
    with pytest.raises(ValueError, match="is no name"):
        TableName.parse(staged.iceberg)


@pytest.mark.parametrize("mark", ["", "main", "hw_", "hw_A", "is_0123", "hw_1__2", "hw_1; DROP"])
def test_a_mark_is_of_an_attempt_or_of_a_table(mark: str) -> None:
    with pytest.raises(ValueError, match="mark"):
        TableName.parse("silver.flights.flights").at(mark)
