"""The measurements of each way to make thumbnails."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from photos_dev.benches.load import prices
from photos_dev.benches.measure import ColdStart
from photos_dev.problem import Problem

# Photos that are processed at a time in each way, by as many processes or threads.
AT_ONCE = 2


@dataclass(frozen=True)
class Batch:
    photos: int
    thumbnails: int  # thumbnails of the right size
    items: int | None  # None if the way writes no items
    seconds: float  # from the first upload until the last thumbnail and item exist
    cpu_s: float
    largest_mb: float  # peak memory of the largest process
    together_mb: float  # peak memory of all processes, added up
    processes: int


@dataclass(frozen=True)
class ServerLoad:
    """Load of the platform's server before and during a batch. CPU is a share of all cores."""

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
        """CPU time of one photo, once warm."""
        return self.batch.cpu_s / self.batch.photos * 1000

    @property
    def dollars(self) -> float:
        """Dollars for a million photos: on servers if the way has a server, else in Lambda."""
        seconds = self.cpu_ms / 1000
        return prices.of_server(seconds) if self.server else prices.of_lambda(seconds)

    def checked(self) -> Measured:
        """Returns itself if every photo has its thumbnail and its item; raises Problem otherwise."""
        batch = self.batch
        if batch.thumbnails != batch.photos or batch.items not in (None, batch.photos):
            raise Problem(
                f"{self.title}: {batch.photos} photos have {batch.thumbnails} thumbnails of the right size and "
                f"{batch.items} items"
            )
        return self

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"cpu_ms": self.cpu_ms, "dollars": self.dollars}
