"""How an account is read."""
