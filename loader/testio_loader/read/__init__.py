"""Reads a customer's account from the API."""
