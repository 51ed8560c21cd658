"""Which part of a connection fails, and what mends it."""

from headwater.adapters.sources.checking.check import check_connection
from headwater.adapters.sources.checking.probe import Probe

__all__ = ["Probe", "check_connection"]
