"""The chain, stage by stage: each ``run`` does one task's work and can be called again after any crash."""
