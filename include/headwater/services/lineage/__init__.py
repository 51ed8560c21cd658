"""What a run did to which tables, and which column comes from which."""
