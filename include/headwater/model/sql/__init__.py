"""SQL of transforms: what a file says, what it reads, and what can be followed through it (rules 37 and 38)."""
