"""A run, told in DataHub's own words."""

from __future__ import annotations

from headwater.adapters.datahub.dataset_events import dataset_events, domain_events, measurement_events
from headwater.adapters.datahub.proposals import Event
from headwater.adapters.datahub.quality_events import quality_events
from headwater.adapters.datahub.run_events import flow_events, run_events
from headwater.domain.lineage import RunFacts


def metadata_events(facts: RunFacts) -> list[Event]:
    """Everything DataHub is told about a run, in the order it is to be written.

    Pure: the same facts give the same events, so sending them twice changes nothing.
    """
    events: list[Event] = [*flow_events(facts), *domain_events(facts)]
    for dataset in facts.datasets:
        events += dataset_events(dataset, facts)
    events += run_events(facts)
    for dataset in facts.datasets:
        events += measurement_events(dataset, facts)
        events += quality_events(dataset, facts)
    return events
