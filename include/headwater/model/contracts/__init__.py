"""Soda contracts: what may stand in one, and what its checks mean for rows (rule 40)."""
