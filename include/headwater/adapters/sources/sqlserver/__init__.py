"""Rows of relations in Microsoft SQL Server and Azure SQL."""
