"""Ends a command on Ctrl-C (SIGINT) or SIGTERM."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

_SHOW_CURSOR = "\x1b[?25h"
_AGAIN = "run it again to complete or repeat what was interrupted"


@contextlib.contextmanager
def ends_when_told(consequence: str = _AGAIN) -> Iterator[None]:
    """Exit at once on SIGINT or SIGTERM, with a message of one line.

    A signal handler in Python would run only after the current statement of the warehouse has
    ended, and dlt's own handler waits even longer. So a thread waits for the signals. The
    warehouse rolls back unfinished work, as after kill -9.

    Args:
        consequence: what happens to unfinished work; the second half of the message.
    """
    # Shell scripts start background processes with Ctrl-C ignored; this stays that way.
    signals = {signal.SIGTERM} | (
        set() if signal.getsignal(signal.SIGINT) is signal.SIG_IGN else {signal.SIGINT}
    )
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    is_over = threading.Event()

    def wait() -> None:
        received = signal.sigwait(signals)
        if not is_over.is_set():
            is_by_hand = received == signal.SIGINT
            cause = "interrupted" if is_by_hand else f"ended by {signal.Signals(received).name}"
            if sys.stderr.isatty():  # progress bars hide the cursor
                cause = f"{_SHOW_CURSOR}\n{cause}"
            sys.stderr.write(f"testio-loader: {cause}; {consequence}\n")
            sys.stderr.flush()
            os._exit(128 + received)

    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    try:
        yield
    finally:
        is_over.set()
        signal.pthread_kill(waiting.ident or 0, signal.SIGTERM)
        waiting.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
