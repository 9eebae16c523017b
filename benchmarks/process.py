"""Runs a command, and tells what it took."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# A process counts the memory of the one that starts it as its own peak: so a small one starts it.
_SMALL = """
import os, sys
_, status, usage = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@dataclass(frozen=True)
class Usage:
    """What a command took."""

    seconds: float
    peak_megabytes: float


def run(command: Sequence[str | Path], environment: dict[str, str]) -> Usage:
    """Run a command to its end; what it prints is let go.

    Raises:
        SystemExit: if it fails; with what it says.
    """
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-S", "-c", _SMALL, *command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    if done.returncode:
        raise SystemExit(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return Usage(seconds, int(done.stderr.split()[-1]) / 1024)
