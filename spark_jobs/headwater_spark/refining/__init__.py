"""One silver table's refine: what it reads, which rows come of it, and how they are written."""
