"""One sentence for every key of the YAML files, shown by editors and by the JSON schema."""

from __future__ import annotations

_OWNER = "who is told when something breaks; without one, the owner of the file"
_SHARE = "share of a batch that may go to quarantine before the table is held (0 to 1, and more than 10 rows)"
_ACCEPT = "practices of the check that are meant here, each with its reason"
_ACKNOWLEDGE = "changes that destroy something and are meant, each with what was; a rebuild follows"
_PIPELINE = {
    "description": "what the data is, in a sentence; shown in Airflow and DataHub",
    "owner": "who is told when something breaks",
    "domain": "business domain in the catalogue of metadata",
    "schedule": "when it runs: one of every, cron, assets, or manual",
    "freshness": "alert when the newest release of a layer is older than this, whether or not a run exists",
    "lease_wait": "how long a run waits for another that holds its tables: 30m",
    "tags": "labels in Airflow and DataHub",
    "gold": "gold tables by name; the SQL is sql/gold/<file stem>/<name>.sql",
}
_LAYOUT = {
    "partition_by": "how files are cut: column, year(c), month(c), day(c), hour(c), bucket(16, c), truncate(4, c)",
    "sort_by": "columns files are sorted by: column, column desc, column asc nulls last",
    "properties": "Iceberg table properties for reading and writing, such as write.target-file-size-bytes",
}
_FILES = {
    "kind": "files: files that arrive in a landing folder or bucket, each taken exactly once",
    "mode": "incremental: only files not read before; snapshot (Delta tables): all rows of the newest version",
    "path": "folder or glob under the folder of the connection; ** spans folders; of a Delta table its folder",
    "format": "csv, jsonl (one JSON object a line), json (one array of objects), parquet, or delta: a Delta table",
    "compression": "auto goes by the end of the name: .gz, .zst, .zip",
    "columns": "Iceberg type by column name, because most files do not know their types",
    "partitions": "columns whose values stand in the path: year=2013/month=01/",
    "encoding": "how the bytes of a text file are read; a byte order mark is taken off",
    "header": "csv: whether the first line names the columns; without it they stand in the declared order",
    "delimiter": "csv: one character between fields",
    "quote": "csv: the character around fields that hold a delimiter, a quote or a line break; empty: none",
    "escape": "csv: the character that takes the meaning from the next one; empty: a quote is doubled",
    "null": "csv: text that stands for NULL when it is not quoted",
    "undeclared_fields": "what a column does that the files have and `columns` has not: stop the table, set the "
    "JSON records aside (quarantine), or ignore the field",
    "missing_fields": "what a column does that `columns` has and a file has not: stop the table, or null",
    "stable_for": "leave a file alone until it has not changed for this long: 5m",
    "marker": "leave a file alone until this one lies beside it: {name}.done, {stem}.ok or _SUCCESS",
    "manifest": "glob of JSON lists of complete files; only what they list is read, once size and hash are right",
    "replaced": "what a file does that was read and has other content now: stop the table, be read again whole, "
    "or be ignored",
    "max_files": "most files of one run; the rest is read by the next",
    "max_expansion": "how many times its own size a compressed file may grow (beyond 64 MiB) before it is refused",
    "max_record_bytes": "longest record (of text beyond ASCII: in characters); a longer one stops the table",
    "max_quarantined_share": _SHARE,
}
KEY_WORDS: dict[str, dict[str, str]] = {
    "ProductDocument": _PIPELINE,
    "SourceDocument": _PIPELINE
    | {
        "connection": "Airflow connection id; never a secret",
        "extract": "what is read and how, for every table that does not say otherwise",
        "tables": "tables by name",
        "reconcile": "when its tables are compared with what readers see of them, by a DAG of its own",
    },
    "ReconcileDocument": {
        "schedule": "when: one of every, cron, or manual",
        "tables": "tables to compare; default every relation with a key",
    },
    "Acceptance": {
        "practice": "what `headwater validate` would object to in this table",
        "because": "why it is right here; for whoever reads the file next",
    },
    "Acknowledgement": {
        "change": "what changed, as the message names it: key, silver.mode, columns.temp.type, grain, sql",
        "was": "what it was, as the message says it",
    },
    "TableDocument": {
        "description": "what a row is",
        "owner": _OWNER,
        "key": "columns that identify a row at the source",
        "extract": "what is read and how; overrides the extract of the file, key by key",
        "silver": "how bronze batches become the silver table",
        "transform": "a Python function over the rows of a batch, after the column rules; instead of a SQL file",
        "columns": "what becomes of single columns on their way to silver, by name at the source",
        "accept": _ACCEPT,
        "acknowledge": _ACKNOWLEDGE,
        "drift": "evolve takes new nullable columns and widenings; quarantine leaves new columns out and sets rows "
        "aside whose values do not fit; everything else stops in any case",
        "max_quarantined_share": _SHARE,
    },
    "GoldDocument": _LAYOUT
    | {
        "mode": "rebuild makes all anew on a change; merge only groups whose rows changed; append adds new rows",
        "description": "what a row is",
        "owner": _OWNER,
        "transform": "a Python function that makes the table instead of SQL",
        "grain": "output columns that identify a row",
        "accept": _ACCEPT,
        "acknowledge": _ACKNOWLEDGE,
    },
    "Owner": {
        "team": "name of the team",
        "email": "addresses alerts go to",
        "slack": "channel alerts go to, with its #",
    },
    "Schedule": {
        "every": "a duration: 15m, 1d",
        "cron": "five fields: minute, hour, day of month, month, day of week",
        "timezone": "time zone of the cron expression: Europe/Berlin",
        "assets": "run when these tables were released: silver.flights.flights",
        "inputs": "any: run when one asset changed; all: when every one did",
        "manual": "true: run only when someone triggers it",
    },
    "Freshness": {layer: f"alert when the newest {layer} release is older" for layer in ("bronze", "silver", "gold")},
    "PythonFunction": {"python": "package.module:function of an installed distribution; a DataFrame in, one out"},
    "PythonTransform": {
        "python": "package.module:function of an installed distribution; DataFrames in, a DataFrame out",
        "inputs": "tables the function is given, in this order: silver.flights.flights",
    },
    "Silver": _LAYOUT
    | {
        "mode": "append keeps every event; upsert keeps the newest row of a key; scd2 keeps every version of a key; "
        "cdc follows a stream of changes, which no extract of this version reads",
        "as": "cdc: upsert keeps the newest row of a key; scd2 keeps every version of a key",
        "sequence_by": "column that orders versions of a key; required after an incremental extract",
        "valid_from": "scd2: column that says since when a version holds",
        "initial_valid_from": "scd2: column that says since when the first version of a key holds",
        "track": "scd2: only these columns open a version; default all but the key",
        "max_delete_share": "share of keys that may vanish in one batch before the gate closes (0 to 1, over 10 rows)",
        "allow_empty": "whether an extract without rows may delete everything",
    },
    "ColumnRule": {
        "rename": "name in silver",
        "renamed_from": "cdc: the name the column had before it was renamed at the source",
        "default": "value in the place of NULL; cdc: of events that do not know the column (ADD COLUMN … DEFAULT)",
        "expression": "Spark SQL over the bronze columns of the row that gives the value in silver",
        "type": "Iceberg type in silver",
        "classification": "public, internal or pii",
        "mask": "hash: keep only a keyed hash of the value",
        "description": "what the column means",
    },
    "SqlExtract": {
        "kind": "sql: rows of a relation in a database",
        "mode": "snapshot reads everything; incremental reads rows whose cursor moved",
        "relation": "schema.table at the source; default <table>, in public or the connection's database",
        "cursor": "column that only grows, such as a time of last change",
        "lag": "how far below the last cursor each run reads again, to catch late commits: 2h",
        "deleted_column": "boolean column that marks deleted rows; without it deletes are invisible when incremental",
        "bad_cursor": "what becomes of rows whose cursor is null or in the future",
        "non_finite": "what becomes of NaN and infinity in numerics",
        "max_quarantined_share": _SHARE,
        "chunk_rows": "incremental, of PostgreSQL, MySQL and MariaDB: read a window in chunks of so many rows, in the "
        "order of cursor and key; an interrupted read goes on from its finished chunks",
        "readers": "PostgreSQL: sessions that read side by side in one snapshot; default 2 for a whole table, 1 for a "
        "chunk. What lies above a watermark is read by one where it is no chunk",
    },
    "FilesExtract": _FILES,
    "ExternalExtract": _FILES
    | {
        "kind": "external: files that a job elsewhere delivers, started once per run",
        "mode": "incremental: only files not read before",
        "path": "folder or glob under the folder of the connection that the job's files lie in",
        "format": "csv, jsonl (one JSON object a line), json (one array of objects) or parquet",
        "manifest": "path of the list of its files that the job writes last, with {key}: each run has its own",
        "job": "which job is started, and how it is looked at",
    },
    "ExternalJob": {
        "connection": "Airflow connection id of the service; never a secret",
        "service": "http: any service with a call that starts and one that tells the state; data_factory: Azure's",
        "start": "http: path that a POST starts the job at; data_factory: name of the pipeline",
        "parameters": "sent along with key, run_key, table and planned_at",
        "status": "http: path that tells the state: /jobs/{id}",
        "find": "http: path that tells of the job of a key, whose start was not answered: /jobs?key={key}",
        "repeatable": "http: the service starts one job only per Idempotency-Key, so a start may be repeated",
        "id_field": "http: where the job's id stands in an answer, dotted",
        "status_field": "http: where its state stands, dotted",
        "message_field": "http: where its message stands, dotted",
        "running": "http: states of a job at work",
        "succeeded": "http: states of a job that succeeded",
        "failed": "http: states of a job that failed",
        "timeout": "how long a run waits for its job: 6h",
        "poll_every": "how often the job is looked at: 30s",
    },
}
