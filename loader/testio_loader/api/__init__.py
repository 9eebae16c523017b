"""The API over HTTP: what is called, and what comes back."""
