"""The API's answers as files, less credentials: written by one load, landed by another.

A customer's folder has `recorded_at.txt`, when the answers were given, and a file for each path
that was asked: `bugs/filter_test_cycle_ids=17.json` is the answer to
`/bugs?filter_test_cycle_ids=17`. What was asked for many tests at once is kept as if it had been
asked one by one. `null` is a 404.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loader import clock
from loader.api import NOT_FOUND, Answer, Effort, NotFound, Unusable
from loader.canonical import canonical, parse
from loader.envelope import opened
from loader.errors import Explained
from loader.redact import redact

_RECORDED_AT = "recorded_at.txt"
_EVERYWHERE = "includes[]=user_stories"


class BadArchive(Explained):
    """A folder that cannot be landed from; the message says why."""


class Recorder:
    """Writes answers into a folder."""

    def __init__(self, folder: Path, recorded_at: datetime) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BadArchive(f"{folder} is not empty; record into a new folder")
        (folder / _RECORDED_AT).write_text(recorded_at.isoformat(), encoding="utf-8")
        self._folder = folder

    def keep(self, path: str, body: Any) -> None:
        """Write the body of an answer; None where the API knows no such thing."""
        file = _file(self._folder, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(canonical(body), encoding="utf-8")


class Archive:
    """Answers from a folder that a load has recorded; an `Api` without a network."""

    max_batch = 1
    is_replay = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            text = (folder / _RECORDED_AT).read_text(encoding="utf-8").strip()
            self._recorded_at = datetime.fromisoformat(text).astimezone(UTC)
        except (OSError, ValueError) as error:
            raise BadArchive(
                f"{folder / _RECORDED_AT} does not say when the answers were given; it is written "
                "by `load --record`"
            ) from error
        if clock.is_ahead(self._recorded_at):
            raise BadArchive(
                f"{folder / _RECORDED_AT} says {self._recorded_at:%Y-%m-%d %H:%M} (UTC), which is "
                f"still to come: put this machine's clock right ({clock.now():%Y-%m-%d %H:%M}), "
                "or, if the clock was wrong that recorded, write the right time into the file"
            )

    def get(
        self,
        path: str,
        keys: Sequence[str],
        *,
        is_object: bool = False,
        is_divisible: bool = False,
        is_last_try: bool = False,
    ) -> Answer:
        """See `loader.api.Api`."""
        file = _file(self._folder, path)
        try:
            body, mended = parse(file.read_bytes())
        except OSError as error:
            raise Unusable(f"{file.name} is not in the archive") from error
        except ValueError as error:
            raise Unusable(f"{file.name} in the archive is not JSON") from error
        if body is None:
            raise NotFound(NOT_FOUND)
        redact(body)
        value, claimed_count = opened(body, keys, is_object)
        return Answer(value, Effort(1, 1), mended, claimed_count)

    def now(self) -> datetime:
        """Return when they were recorded, so that what has landed since stays the newer."""
        return self._recorded_at

    def has(self, path: str) -> bool:
        """Return whether the answer was recorded."""
        return _file(self._folder, path).exists()


def recorded_names(archive: Path) -> list[str]:
    """Return the names of the customers whose answers an archive has."""
    return sorted(file.parent.name for file in archive.glob(f"*/{_RECORDED_AT}"))


def _file(folder: Path, path: str) -> Path:
    way, _, query = path.partition("?")
    parameters = [part for part in query.split("&") if part and part != _EVERYWHERE]
    name = "&".join(parameters)
    return folder / f"{way.strip('/')}{'/' if name else ''}{name}.json"
