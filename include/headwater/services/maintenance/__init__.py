"""Compaction, expiry, replaced tables, orphans, dead branches: deciding what may go, and letting it go in slices."""
