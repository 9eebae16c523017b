"""The errors that users can act on, each with a message of one line that says what to do.

    LoaderError
    ├── ConfigurationError      a setting cannot be used
    ├── WarehouseError          the warehouse cannot be used
    ├── WarehouseBusyError      another process is using the warehouse
    ├── LostLockError           the session that held the lock is gone (warehouses/base.py)
    ├── LedgerError             the ledger of earlier loads cannot be used
    ├── RecordingError          a recording cannot be written or replayed
    ├── UnknownIdError          the account has no product or test with a selected id
    ├── AccountChangedError     the token belongs to another account than before
    ├── LoadError               a load failed, and nothing of it is visible
    ├── IncompleteLoadError     a load landed, but some of its scopes are incomplete
    └── PublishError            nothing was published

Errors of single calls are in `api/base.py`. They never leave a load: each becomes the outcome of
the scope that was being read.
"""


class LoaderError(Exception):
    """An error that the user can act on."""


class ConfigurationError(LoaderError):
    """A setting cannot be used; the message names it."""


class WarehouseError(LoaderError):
    """The warehouse cannot be used."""


class WarehouseBusyError(LoaderError):
    """Another process is using the warehouse; the message names it where that is known."""


class LedgerError(LoaderError):
    """The ledger of earlier loads cannot be used."""


class RecordingError(LoaderError):
    """A recording cannot be written or replayed."""


class UnknownIdError(LoaderError):
    """The account has no product or test with a selected id."""


class AccountChangedError(LoaderError):
    """The token belongs to another account than the one that was loaded before."""


class LoadError(LoaderError):
    """A load failed, and nothing of it is visible."""


class IncompleteLoadError(LoaderError):
    """A load landed, but some of its scopes are incomplete.

    Args:
        problems: one line per cause: which scopes, and why.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class PublishError(LoaderError):
    """Nothing was published. What was published before is untouched."""
