"""The one alembic chain of the run store's database; incidents and the outbox live in it, too."""
