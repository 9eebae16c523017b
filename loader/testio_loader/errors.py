"""Ends that the person at the keyboard can do something about."""


class Explained(Exception):
    """A failure whose message says, in one line, what to do."""


class BadConfiguration(Explained):
    """Configuration that cannot be used; the message says what to set."""
