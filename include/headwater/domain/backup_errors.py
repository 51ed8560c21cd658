"""What a backup or a restore is refused with."""

from __future__ import annotations

from headwater.domain.errors import HeadwaterError


class BackupError(HeadwaterError):
    """A backup cannot be taken, or cannot be restored as asked: nothing was changed."""

    code = "backup_unusable"
