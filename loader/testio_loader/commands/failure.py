"""How a command ends that cannot do its work: in one line, without a traceback."""

import logging
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from testio_loader.errors import ConfigurationError, LoaderError

logger = logging.getLogger(__name__)

INCOMPLETE = 3
"""Exit status of a load that landed, but not all of what it was to read."""


class CommandError(click.ClickException):
    """An end that the person at the keyboard can do something about, told in one line."""

    def show(self, file: Any = None) -> None:
        """Print the line."""
        click.echo(f"testio-loader: {self.message}", file=file or sys.stderr)


class MisconfiguredError(CommandError):
    """The configuration is of no use; counts as wrong usage."""

    exit_code = 2


def explained(command: Callable[..., None]) -> Callable[..., None]:
    """Turn what can go wrong for reasons outside the program into one clear line."""

    @wraps(command)
    def run(**options: Any) -> None:
        try:
            command(**options)
        except ConfigurationError as error:
            raise MisconfiguredError(one_line(error)) from error
        except LoaderError as error:
            raise CommandError(one_line(error)) from error
        except BrokenPipeError:
            raise  # whoever reads what we print has had enough; click ends quietly then
        except Exception as error:
            if failure := _failure(error):
                raise failure from error
            raise

    return run


def _failure(error: Exception) -> CommandError | None:
    """Return how a library's failure is told, if it is for reasons outside the program."""
    import duckdb
    from dlt.common.configuration.exceptions import ConfigurationException
    from dlt.common.exceptions import DltException

    if isinstance(error, ConfigurationException):
        return MisconfiguredError(one_line(error))
    if isinstance(error, DltException | duckdb.Error | OSError):
        logger.debug("Unforeseen", exc_info=True)
        return CommandError(one_line(error))
    return None


def one_line(error: Exception) -> str:
    """Return what an error says, in one line."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return " ".join(str(error).split())
