"""Lands the data of the Test IO Customer API in a warehouse."""
