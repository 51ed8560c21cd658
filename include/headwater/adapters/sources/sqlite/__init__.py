"""Relations of SQLite databases."""
