"""The desk of an installation: its runbooks, its connections, and the secrets that no alert may show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.adapters.redaction import Redactor
from headwater.adapters.runbook_folder import load_runbooks
from headwater.domain.errors import HeadwaterError
from headwater.domain.spec import PipelineSpec, SourceSpec
from headwater.services.incidents.desk import IncidentDesk
from headwater.services.lineage.places import known_places

if TYPE_CHECKING:
    from headwater.adapters.platform import LocalPlatform


def incident_desk(platform: LocalPlatform, specs: Mapping[str, PipelineSpec], runbooks: Path) -> IncidentDesk:
    """Where failures become incidents.

    :param specs: pipelines whose owners and consumers are known.
    """
    sources = tuple(spec for spec in specs.values() if isinstance(spec, SourceSpec))
    secrets = (*_secrets(platform, sources), *platform.settings.catalog.secrets)
    return IncidentDesk(
        store=platform.incidents,
        runs=platform.runs,
        specs=specs,
        runbooks=load_runbooks(runbooks),
        settings=platform.settings,
        redact=Redactor(secrets),
        clock=platform.clock,
        places=known_places(platform.connections, frozenset(spec.connection for spec in sources)),
    )


def _secrets(platform: LocalPlatform, sources: Iterable[SourceSpec]) -> tuple[str, ...]:
    """Passwords of the connections these pipelines use, so that no alert shows one whatever its text is."""
    found, needed = [], set()
    for spec in sources:
        needed.add(spec.connection)
        if any(rule.mask for table in spec.tables for rule in table.columns.values()):
            needed.add(platform.settings.masking_connection)
    for connection_id in sorted(needed):
        try:
            found.append(platform.connections.resolve(connection_id).password.get_secret_value())
        except HeadwaterError:
            # a connection that cannot be read may be the very failure being told, and has no password to mask
            continue
    return tuple(found)
