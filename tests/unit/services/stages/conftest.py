"""A shop whose runs go through the real stages over the memory stores, with a scripted source and engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.unit.services.stages.shop import incident, shop
from tests.unit.services.stages.world import World

from headwater.domain.incident import Incident
from headwater.domain.spec import PipelineSpec, SourceSpec


@pytest.fixture
def world() -> World:
    return World(shop())


@pytest.fixture
def world_of() -> Callable[[PipelineSpec], World]:
    return World


@pytest.fixture
def incident_of() -> Callable[[str], Incident]:
    return incident


@pytest.fixture
def shop_reading() -> Callable[..., SourceSpec]:
    return shop
