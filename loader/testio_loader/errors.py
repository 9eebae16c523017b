"""Errors that the user can fix. Each message is one line and says what to do.

    LoaderError
    ├── ConfigurationError      a setting is missing or invalid
    ├── WarehouseError          the warehouse cannot be used
    ├── WarehouseBusyError      another process is using the warehouse
    ├── LostLockError           the database session that held the lock ended (warehouses/base.py)
    ├── LedgerError             the ledger of earlier loads cannot be used
    ├── RecordingError          a recording cannot be written or replayed
    ├── UnknownIdError          the account has no product or test with a selected id
    ├── AccountChangedError     the token belongs to a different account than before
    ├── LoadError               a load failed; none of its data is visible
    ├── IncompleteLoadError     a load finished, but some of its scopes are incomplete
    └── PublishError            publishing failed

Errors of single calls are in `api/base.py`. A load never raises them: each becomes the outcome of
the scope that was being read.
"""


class LoaderError(Exception):
    """An error that the user can fix."""


class ConfigurationError(LoaderError):
    """A setting is missing or invalid; the message names it."""


class WarehouseError(LoaderError):
    """The warehouse cannot be used."""


class WarehouseBusyError(LoaderError):
    """Another process is using the warehouse; the message names the process if it is known."""


class LedgerError(LoaderError):
    """The ledger of earlier loads cannot be used."""


class RecordingError(LoaderError):
    """A recording cannot be written or replayed."""


class UnknownIdError(LoaderError):
    """The account has no product or test with a selected id."""


class AccountChangedError(LoaderError):
    """The token belongs to a different account than the one loaded before."""


class LoadError(LoaderError):
    """A load failed; none of its data is visible."""


class IncompleteLoadError(LoaderError):
    """A load finished, but some of its scopes are incomplete.

    Args:
        problems: one line per cause, with the scopes and the reason.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class PublishError(LoaderError):
    """Publishing failed; data that was published earlier is unchanged."""
