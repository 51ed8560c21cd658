"""What one machine needs to run everything by itself: Postgres, Airflow, Java, jars, a mailbox."""
