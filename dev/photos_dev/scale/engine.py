"""The clock of a simulation."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any


class Clock:
    """Runs actions in the order of their times. Those of the same time run in the order in which they were planned, so
    that two runs are alike."""

    def __init__(self) -> None:
        self.now = 0.0  # s
        self._planned: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    def at(self, time: float, action: Callable[..., None], *arguments: Any) -> None:
        self._count += 1
        heapq.heappush(self._planned, (time, self._count, action, arguments))

    def after(self, seconds: float, action: Callable[..., None], *arguments: Any) -> None:
        self._count += 1
        heapq.heappush(self._planned, (self.now + seconds, self._count, action, arguments))

    def run(self, until: float = float("inf")) -> None:
        """Until nothing is planned, or until that time."""
        planned, pop = self._planned, heapq.heappop
        while planned and planned[0][0] <= until:
            self.now, _, action, arguments = pop(planned)
            action(*arguments)
