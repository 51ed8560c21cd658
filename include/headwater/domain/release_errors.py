"""What no publish can leave behind."""

from __future__ import annotations

from headwater.domain.errors import HeadwaterError


class TornReleaseError(HeadwaterError):
    """A publish is found half done, which no catalog transaction can leave behind: tables were changed by hand."""

    code = "release_torn"
