"""Metadata of runs as DataHub's own events: built, kept in files or sent to a server."""

import os

# Read by acryl-datahub when it is first imported: Headwater calls home to nobody.
os.environ.setdefault("DATAHUB_TELEMETRY_ENABLED", "false")
