"""Channels that carry alerts: the console, mail, a Slack webhook."""
