"""Use cases over ports: each function is one thing a run, an operator or a person asks for."""
