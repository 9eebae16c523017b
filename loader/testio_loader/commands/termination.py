"""How a command ends that is told to, by Ctrl-C (SIGINT) or by SIGTERM."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

_SHOW_CURSOR = "\x1b[?25h"
_AGAIN = "run it again, which completes or repeats what was cut short"


@contextlib.contextmanager
def ends_when_told(consequence: str = _AGAIN) -> Iterator[None]:
    """End at once at SIGINT or SIGTERM, with one sentence, whatever is under way.

    A handler in Python would run only when the statement that the warehouse is busy with has ended,
    and dlt has one that waits for much more. A thread waits for the signals instead. The warehouse
    takes back what a process leaves unfinished, as after kill -9.

    Args:
        consequence: what becomes of what was under way; the second half of the sentence.
    """
    # What is started in the background of a script is to ignore Ctrl-C.
    told_by = {signal.SIGTERM} | (
        set() if signal.getsignal(signal.SIGINT) is signal.SIG_IGN else {signal.SIGINT}
    )
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    is_over = threading.Event()

    def wait() -> None:
        received = signal.sigwait(told_by)
        if not is_over.is_set():
            is_by_hand = received == signal.SIGINT
            cause = "interrupted" if is_by_hand else f"ended by {signal.Signals(received).name}"
            if sys.stderr.isatty():  # bars hide it
                cause = f"{_SHOW_CURSOR}\n{cause}"
            sys.stderr.write(f"testio-loader: {cause}; {consequence}\n")
            sys.stderr.flush()
            os._exit(128 + received)

    before = signal.pthread_sigmask(signal.SIG_BLOCK, told_by)
    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    try:
        yield
    finally:
        is_over.set()
        signal.pthread_kill(waiting.ident or 0, signal.SIGTERM)
        waiting.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
