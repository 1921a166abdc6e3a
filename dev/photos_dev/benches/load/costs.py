"""What is measured of each way to make thumbnails."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from photos_dev.benches.load import prices
from photos_dev.benches.measure import ColdStart
from photos_dev.problem import Problem

# Photos that are worked on at the same time, whichever way: by as many processes or threads.
AT_ONCE = 2


@dataclass(frozen=True)
class Batch:
    photos: int
    thumbnails: int  # those of the right size
    items: int | None  # none where the way makes none
    seconds: float  # from the first upload until the last thumbnail and item are there
    cpu_s: float
    largest_mb: float  # the most that one process has held
    together_mb: float  # the same of all processes, added up
    processes: int


@dataclass(frozen=True)
class ServerLoad:
    """What the platform's server does before a batch and during it. CPU is a share of all cores."""

    idle_cpu: float
    mean_cpu: float
    most_cpu: float
    idle_heap_mb: float
    most_heap_mb: float
    idle_memory_mb: float
    most_memory_mb: float


@dataclass(frozen=True)
class Part:
    """One of the programs that share the work."""

    name: str
    cpu_s: float
    memory_mb: float


@dataclass(frozen=True)
class Measured:
    title: str
    versions: str
    cold_start: ColdStart
    batch: Batch
    server: ServerLoad | None = None
    parts: list[Part] = field(default_factory=list)

    @property
    def cpu_ms(self) -> float:
        """Of one photo, once warm."""
        return self.batch.cpu_s / self.batch.photos * 1000

    @property
    def dollars(self) -> float:
        """Of a million photos: of servers where there is one, else of Lambda."""
        seconds = self.cpu_ms / 1000
        return prices.of_server(seconds) if self.server else prices.of_lambda(seconds)

    def checked(self) -> Measured:
        """Itself, if every photo has its thumbnail and its item."""
        batch = self.batch
        if batch.thumbnails != batch.photos or batch.items not in (None, batch.photos):
            raise Problem(
                f"{self.title}: of {batch.photos} photos there are {batch.thumbnails} thumbnails of the "
                f"right size and {batch.items} items"
            )
        return self

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"cpu_ms": self.cpu_ms, "dollars": self.dollars}
