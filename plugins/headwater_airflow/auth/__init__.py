"""Who may do what in Airflow, with a role for people who start runs and read, and do nothing else."""
