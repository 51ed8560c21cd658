"""What a changed spec does to the tables an older one made (rule 14)."""
