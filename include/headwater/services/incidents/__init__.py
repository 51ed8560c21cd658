"""Turns failures into incidents that name the remedy, sends them, and closes them when the pipeline has healed."""
