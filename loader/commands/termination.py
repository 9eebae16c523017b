"""How a command ends that is told to, by SIGTERM."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

_STATUS = 128 + signal.SIGTERM


@contextlib.contextmanager
def ends_when_told() -> Iterator[None]:
    """End at once at SIGTERM, with one sentence, whatever is under way.

    A handler in Python would run only when the statement that the warehouse is busy with has ended,
    and dlt has one that waits for much more. A thread waits for the signal instead. The warehouse
    takes back what a process leaves unfinished, as after kill -9.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    is_over = threading.Event()

    def wait() -> None:
        signal.sigwait({signal.SIGTERM})
        if not is_over.is_set():
            message = (
                "ended by SIGTERM; run it again, which completes or repeats what was cut short"
            )
            sys.stderr.write(f"testio-loader: {message}\n")
            sys.stderr.flush()
            os._exit(_STATUS)

    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    try:
        yield
    finally:
        is_over.set()
        signal.pthread_kill(waiting.ident or 0, signal.SIGTERM)
        waiting.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
