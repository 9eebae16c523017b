"""Records the API's answers as files without credentials, and replays them in a later load.

A customer's folder has `recorded_at.txt`, the time of the answers, and a file per path that was
called: `bugs/filter_test_cycle_ids=17.json` is the answer to `/bugs?filter_test_cycle_ids=17`. The
answer to a batch is stored as if each test had been requested alone. `null` means HTTP 404.

`recording.json` has the selected products and tests. When the load has read everything, it adds the
incomplete scopes and the number of answers. From then on, an answer without a file counts as
deliberately not read, so a copy that has lost files is refused. Until then the recording is
unfinished, and an answer without a file counts as missing. Recordings of earlier versions have no
`recording.json`; an answer without a file counts as deliberately not read.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from testio_loader import clock
from testio_loader.api.base import (
    NOT_FOUND,
    Api,
    ApiResponse,
    CallCost,
    NotFoundError,
    UnusableAnswerError,
)
from testio_loader.api.canonical_json import canonical, parse
from testio_loader.api.envelope import opened
from testio_loader.api.redaction import redact
from testio_loader.api.values import parse_id
from testio_loader.errors import RecordingError

_RECORDED_AT = "recorded_at.txt"
_RECORDING = "recording.json"
_UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""Errors that reading a `recording.json` raises if another program wrote it."""
_CONSTANT_PARAMETER = "includes[]=user_stories"


@dataclass(frozen=True)
class _Recording:
    """The selection of a recording, and what is incomplete in it."""

    product_ids: list[int] = field(default_factory=list)
    test_ids: list[int] = field(default_factory=list)
    unlisted_test_ids: list[int] = field(default_factory=list)
    """Tests that were read alone, because an incomplete list lacked them."""
    incomplete: dict[tuple[str, int | None, int | None], str] | None = field(default_factory=dict)
    """Outcomes by endpoint, product and test; None while the recording is unfinished."""


class Recorder:
    """Writes the answers for one customer to a folder."""

    def __init__(
        self,
        folder: Path,
        recorded_at: datetime,
        product_ids: Collection[int] = (),
        test_ids: Collection[int] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RecordingError(f"{folder} is not empty; record into a new folder")
        (folder / _RECORDED_AT).write_text(recorded_at.isoformat(), encoding="utf-8")
        self._folder = folder
        self._recording = {"product_ids": sorted(product_ids), "test_ids": sorted(test_ids)}
        self._write(self._recording)

    def finish(
        self, incomplete: Iterable[Mapping[str, Any]], unlisted_test_ids: Iterable[int]
    ) -> None:
        """Mark the recording as finished: the load has read everything.

        Args:
            incomplete: the ledger rows of incomplete scopes.
            unlisted_test_ids: tests that were read alone, because an incomplete list lacked them.
        """
        names = ("endpoint", "product_id", "test_id", "outcome")
        self._write(
            {
                **self._recording,
                "answers": _count_answers(self._folder),
                "unlisted_test_ids": sorted(unlisted_test_ids),
                "incomplete": [{name: row[name] for name in names} for row in incomplete],
            }
        )

    def _write(self, recording: Mapping[str, Any]) -> None:
        (self._folder / _RECORDING).write_text(canonical(recording), encoding="utf-8")

    def keep(self, path: str, body: Any) -> None:
        """Write the body of an answer; None stands for HTTP 404."""
        file = _file(self._folder, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(canonical(body), encoding="utf-8")


class RecordedApi(Api):
    """Answers calls from a folder that a load has recorded, without a network."""

    max_batch = 1
    is_replay = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            text = (folder / _RECORDED_AT).read_text(encoding="utf-8").strip()
            self._recorded_at = datetime.fromisoformat(text).astimezone(UTC)
        except (OSError, ValueError, OverflowError) as error:
            raise RecordingError(
                f"{folder / _RECORDED_AT} has no readable time: restore the file that "
                "`load --record` wrote, or record again"
            ) from error
        if clock.is_ahead(self._recorded_at):
            raise RecordingError(
                f"{folder / _RECORDED_AT} says {self._recorded_at:%Y-%m-%d %H:%M} (UTC), which is "
                f"in the future: correct this machine's clock ({clock.now():%Y-%m-%d %H:%M}) or, "
                "if the clock was wrong during recording, the time in the file"
            )
        recording = _recording(folder / _RECORDING)
        self.product_ids, self.test_ids = recording.product_ids, recording.test_ids
        self.unlisted_test_ids = recording.unlisted_test_ids
        self._incomplete = recording.incomplete

    def get(
        self, path: str, keys: Sequence[str], *, is_object: bool = False, **_: bool
    ) -> ApiResponse:
        """See `testio_loader.api.base.Api`. No retries: a recorded answer stays the same."""
        file = _file(self._folder, path)
        try:
            body, mended = parse(file.read_bytes())
            redact(body)
        except OSError as error:
            raise UnusableAnswerError("not in the archive") from error
        except ValueError as error:
            raise UnusableAnswerError(f"{file.name} in the archive is not JSON") from error
        except RecursionError as error:
            raise UnusableAnswerError(f"{file.name} in the archive is nested too deeply") from error
        if body is None:
            raise NotFoundError(NOT_FOUND)
        value, claimed_count = opened(body, keys, is_object)
        return ApiResponse(value, CallCost(1, 1), mended, claimed_count)

    def now(self) -> datetime:
        """Return the time of the recording, so that later data in the warehouse stays newer."""
        return self._recorded_at

    def has(self, path: str) -> bool:
        """Return whether the answer was recorded, or is missing from an unfinished recording."""
        return self._incomplete is None or _file(self._folder, path).exists()

    def lacks(self, endpoint: str, product_id: int | None, test_id: int | None) -> str | None:
        """Return why the scope was incomplete when it was recorded; None if it was complete."""
        return (self._incomplete or {}).get((endpoint, product_id, test_id))


def _recording(file: Path) -> _Recording:
    try:
        found = json.loads(file.read_bytes())
        incomplete = found.get("incomplete")
        if (answers := found.get("answers", 0)) > (found_count := _count_answers(file.parent)):
            raise RecordingError(
                f"{file.parent} has only {found_count:,} of {answers:,} recorded answers: copy "
                "the whole folder again, or record again"
            )
        return _Recording(
            _ids(found["product_ids"]),
            _ids(found["test_ids"]),
            _ids(found.get("unlisted_test_ids", ())),
            None
            if incomplete is None
            else {
                (row["endpoint"], row["product_id"], row["test_id"]): str(row["outcome"])
                for row in incomplete
            },
        )
    except FileNotFoundError:
        return _Recording()  # an earlier version recorded it
    except _UNREADABLE as error:
        raise RecordingError(
            f"{file} cannot be read: restore the file that `load --record` wrote, or record again"
        ) from error


def _ids(given: Iterable[Any]) -> list[int]:
    ids = [parse_id(id_) for id_ in given]
    if None in ids:
        raise ValueError(given)
    return [id_ for id_ in ids if id_ is not None]


def _count_answers(folder: Path) -> int:
    return sum(1 for _ in folder.rglob("*.json")) - (folder / _RECORDING).exists()


def recorded_names(archive: Path) -> list[str]:
    """Return the names of the customers whose answers an archive contains."""
    return sorted(file.parent.name for file in archive.glob(f"*/{_RECORDED_AT}"))


def _file(folder: Path, path: str) -> Path:
    route, _, query = path.partition("?")
    parameters = [part for part in query.split("&") if part and part != _CONSTANT_PARAMETER]
    name = "&".join(parameters)
    return folder / f"{route.strip('/')}{'/' if name else ''}{name}.json"
