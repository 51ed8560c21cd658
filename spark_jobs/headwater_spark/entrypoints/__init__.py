"""Entry points of Spark jobs: read a JobSpec, do it table by table, write a JobResult."""
