"""From the files of a repository (YAML, SQL, contracts) to domain values, or to an error that names file, line and key."""
