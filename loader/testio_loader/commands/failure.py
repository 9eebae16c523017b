"""Ends a command that fails: one line, no traceback, and an exit status.

0 if all went well, 1 if it failed, 2 for wrong usage or configuration, 3 if a load landed but is
incomplete, and 128 plus the number of a signal that ended it.
"""

import logging
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from testio_loader.errors import ConfigurationError, LoaderError

logger = logging.getLogger(__name__)

INCOMPLETE = 3
"""Exit status of a load that landed, but whose scopes are not all complete."""


class CommandError(click.ClickException):
    """An error that the user can fix; shown in one line, without a traceback."""

    def show(self, file: Any = None) -> None:
        """Print the line."""
        click.echo(f"testio-loader: {self.message}", file=file or sys.stderr)


class MisconfiguredError(CommandError):
    """A setting cannot be used; this counts as wrong usage."""

    exit_code = 2


def explained(command: Callable[..., None]) -> Callable[..., None]:
    """Make a command report errors with a cause outside the program in one line."""

    @wraps(command)
    def run(**options: Any) -> None:
        try:
            command(**options)
        except ConfigurationError as error:
            raise MisconfiguredError(one_line(error)) from error
        except LoaderError as error:
            raise CommandError(one_line(error)) from error
        except BrokenPipeError:
            raise  # the reader of our output has closed it; click then exits silently
        except Exception as error:
            if failure := _failure(error):
                raise failure from error
            raise

    return run


def _failure(error: Exception) -> CommandError | None:
    """Return a library's exception as a one-line error, if its cause is outside the program."""
    import duckdb
    from dlt.common.configuration.exceptions import ConfigurationException
    from dlt.common.exceptions import DltException

    if isinstance(error, ConfigurationException):
        return MisconfiguredError(one_line(error))
    if isinstance(error, DltException | duckdb.Error | OSError):
        logger.debug("Unexpected error", exc_info=True)
        return CommandError(one_line(error))
    return None


def one_line(error: Exception) -> str:
    """Return the message of an error in one line."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return " ".join(str(error).split())
