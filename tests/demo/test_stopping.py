"""Last in this folder: the demo ends, and leaves no process but all of its data."""

from __future__ import annotations

import pytest
from tests.demo.served_demo import Demo

pytestmark = pytest.mark.timeout(1500)


def test_the_demo_leaves_no_process_when_it_stops(demo: Demo) -> None:
    demo.stop()
    assert "Traceback" not in demo.text()
    assert demo.processes() == []
    asked = demo.shell('headwater query "select sum(flights) as n from gold.flights.daily_departures" --json')
    assert '"n": 27004' in asked.stdout, asked.stderr
    assert demo.processes() == []
