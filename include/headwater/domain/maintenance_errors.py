"""What keeps maintenance from its work."""

from __future__ import annotations

from headwater.domain.errors import HeadwaterError


class MaintenanceError(HeadwaterError):
    """A table could not be maintained. What was readable before is readable still."""

    code = "maintenance_failed"
    retry_helps = True
