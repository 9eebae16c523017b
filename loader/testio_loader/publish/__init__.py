"""Publishes copies of the warehouse for readers."""
