"""DuckDB: its engine and SQL, and what it reads of releases, over exactly the snapshots they pin."""
