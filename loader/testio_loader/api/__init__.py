"""The client of the Test IO Customer API: its endpoints, calls and recordings."""
