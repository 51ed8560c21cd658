"""Channels that carry alerts: the console, mail, a Slack webhook."""

from headwater.adapters.notifiers.channels import open_notifiers

__all__ = ["open_notifiers"]
