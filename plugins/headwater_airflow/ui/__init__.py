"""What Headwater adds to Airflow's pages: links from tasks, and a page for a release and an incident."""
