"""Lands the records in the warehouse, through dlt."""
