"""How far a notebook is: a line that updates itself on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TextIO


class Progress:
    """Show the cell that runs and the seconds so far, also while one cell takes long.

    On a terminal the line is rewritten every second; elsewhere a line is written at the start and every `interval`
    seconds. Use as a context manager; call it with the news.
    """

    def __init__(self, name: str, *, interval: float = 15.0, stream: TextIO | None = None):
        self._name = name
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._interval = 1.0 if self._live else interval
        self._started = time.monotonic()
        self._news = ""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._repeat, daemon=True)

    def __call__(self, news: str) -> None:
        """Take note of what runs now."""
        first, self._news = not self._news, news
        if first or self._live:
            self._show()

    def __enter__(self) -> Progress:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        if self._live:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()

    def _repeat(self) -> None:
        while not self._done.wait(self._interval):
            self._show()

    def _show(self) -> None:
        line = f"{self._name} {time.monotonic() - self._started:5.0f} s  {self._news}"
        self._stream.write(f"\r\x1b[2K{line[:118]}" if self._live else f"{line}\n")
        self._stream.flush()
