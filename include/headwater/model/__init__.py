"""From a repository's files (YAML, SQL, contracts) to domain values, or to an error naming file, line and key."""
