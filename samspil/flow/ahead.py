"""Reading ahead: the next page is fetched while this one is compared."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Empty, Full, Queue
from typing import Generic, Self, TypeVar

T = TypeVar("T")

_AHEAD = 1  # beside the one that is being read; more would only hold more in memory


class Ahead(Generic[T]):
    """The same pages, read by a thread. What the reading raises is raised here; leaving early stops the thread."""

    def __init__(self, pages: Iterator[T]) -> None:
        self._pages = pages
        self._queue: Queue[T | BaseException | None] = Queue(maxsize=_AHEAD)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="samspil-read-ahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        while self._thread.is_alive():
            try:
                self._queue.get(timeout=0.05)
            except Empty:
                continue

    def __iter__(self) -> Iterator[T]:
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def _work(self) -> None:
        try:
            for page in self._pages:
                self._put(page)
                if self._stop.is_set():
                    break
            self._put(None)
        except BaseException as error:  # noqa: BLE001  # carried to the reader, who must see all of them
            self._put(error)
        finally:
            close = getattr(self._pages, "close", None)
            if close is not None:
                close()

    def _put(self, item: T | BaseException | None) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.1)
            except Full:
                continue
            return
