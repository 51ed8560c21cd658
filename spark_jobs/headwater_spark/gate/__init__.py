"""The quality gate: the Soda contract against exactly one snapshot, closed unless everything was evaluated."""
