"""A progress bar for terminals."""

import sys
import time
from collections.abc import Callable
from typing import Any


class Bar:
    """Draws on standard error, at most five times a second."""

    width = 30

    def __init__(self, describe: Callable[..., str]):
        self._describe = describe
        self._begin = time.monotonic()
        self._next = self._begin

    def __call__(self, fraction: float, *facts: Any) -> None:
        now = time.monotonic()
        if now < self._next and fraction < 1:
            return
        self._next = now + 0.2
        full = int(fraction * self.width)
        left = f", {(now - self._begin) * (1 / fraction - 1):.0f} s left" if 0 < fraction < 1 else ""
        bar = "#" * full + "." * (self.width - full)
        sys.stderr.write(f"\r[{bar}] {100 * fraction:3.0f} %  {self._describe(*facts)}{left}\x1b[K")
        sys.stderr.flush()

    def close(self) -> None:
        sys.stderr.write("\n")


def reporter(progress: Any, describe: Callable[..., str]) -> Callable[..., None] | None:
    """What to call with (fraction, *facts): a given callable, a bar for True, nothing for False and None."""
    if progress is None or progress is False:
        return None
    if progress is True:
        return Bar(describe) if sys.stderr is not None and sys.stderr.isatty() else None
    if not callable(progress):
        raise TypeError(f"progress: expected True, False or a callable, found {type(progress).__name__}.")
    return progress
