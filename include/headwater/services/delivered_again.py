"""Rows of held full extracts that a later full extract has delivered again (rules 21, 31)."""

from __future__ import annotations

from headwater.domain.names import TableName
from headwater.domain.run import RunKey
from headwater.domain.spec import TableSpec
from headwater.ports.platform import Platform


def delivered_again(platform: Platform, table: TableSpec, silver: TableName, batch: int) -> dict[str, str]:
    """Rules that set aside what broke a check in extracts before ``batch``, none of which was ever published.

    A full extract brings every row: a row that was corrected is in the newer one, a row that was not is judged there.
    Without these rules the wrong version would stay in the history of an scd2 table, and close its gate for ever.
    """
    if table.extract.mode != "snapshot":
        return {}
    rules = {}
    for record in platform.runs.held(silver):
        held_batch = record.staged.state.batch
        verdict = platform.runs.verdict(silver, record.staged.staged)
        if verdict is None or verdict.opens or held_batch >= batch:
            continue
        run_id = RunKey.parse(record.run_key).run_id
        for check in verdict.checks:
            if check.outcome == "failed" and check.predicate:
                name = f"{check.name}, held in run {run_id} and delivered again since"
                rules[name] = f"({check.predicate}) AND `_hw_batch` <= {held_batch}"
    return rules
