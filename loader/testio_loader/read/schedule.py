"""Runs steps in several threads, the most urgent first; steps may lead to further ones."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from queue import SimpleQueue
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Schedule(Generic[Result]):
    """A queue of steps; iterating over it runs them and yields each result when it is ready.

    Steps can be added during the iteration. An exception in a step ends it.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._waiting: list[tuple[int, int, Callable[[], Result]]] = []
        self._unfinished: Counter[int] = Counter()
        self._order = count()

    def add(self, urgency: int, step: Callable[[], Result]) -> None:
        """Add a step; 0 is the most urgent."""
        self._unfinished[urgency] += 1
        heapq.heappush(self._waiting, (urgency, next(self._order), step))

    def unfinished(self, urgency: int) -> int:
        """Return how many steps of this urgency wait or run."""
        return self._unfinished[urgency]

    def __iter__(self) -> Iterator[Result]:
        running: dict[Future[Result], int] = {}
        finished: SimpleQueue[Future[Result]] = SimpleQueue()
        with ThreadPoolExecutor(self._threads) as pool:
            try:
                while self._waiting or running:
                    # The pool gets twice as many steps, so that no thread is idle during a yield.
                    while self._waiting and len(running) < 2 * self._threads:
                        urgency, _, step = heapq.heappop(self._waiting)
                        future = pool.submit(step)
                        running[future] = urgency
                        future.add_done_callback(finished.put)
                    future = finished.get()
                    self._unfinished[running.pop(future)] -= 1
                    yield future.result()
            finally:
                pool.shutdown(cancel_futures=True)
