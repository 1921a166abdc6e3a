"""Photos from their upload to READY, or to a dead letter."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

from photos_dev.benches.load.waits import PUBLISHED, Call, Waits
from photos_dev.scale import constants
from photos_dev.scale.delivery import Delivery, Direct, Queue
from photos_dev.scale.engine import Clock
from photos_dev.scale.limits import Environments, Rate, Readers
from photos_dev.scale.work import Outage, Photos, Services, Table, Times, Work

# Objects of a run, at most: more photos than that go in groups, which share their fate.
OBJECTS = 8_000
PARTS = 24
GROUPS = (1, 2, 5, 10, 20, 30, 50, 100)


@dataclass(frozen=True)
class Setup:
    """An account, and the settings of a stack in it. The defaults are those of AWS and of template.yaml."""

    queue: bool = False
    window_s: float = 0.0  # QueueWindowSeconds
    queue_concurrency: int = 0  # QueueMaximumConcurrency; 0: no limit of its own
    visibility_s: float = constants.VISIBILITY_S  # QueueVisibilitySeconds
    reserved: int = 0  # ReservedConcurrency; 0: no limit of its own
    account: int = constants.ACCOUNT_ENVIRONMENTS
    prefixes: int = 1  # partitioned prefixes of each bucket, used evenly
    table_units: int = constants.NEW_TABLE_UNITS  # of the table and of the index
    one_album: bool = False
    album_units: int = constants.PARTITION_UNITS
    renditions: int = 1
    notification_s: float = constants.NOTIFICATION_S
    times: Times = field(default_factory=lambda: times(PUBLISHED))
    outage: Outage | None = None

    @property
    def units(self) -> tuple[int, int]:
        return constants.UNITS if self.renditions == 1 else constants.UNITS_OF_SEVERAL

    @property
    def environments(self) -> int:
        return min(self.account, self.reserved or self.account)


def times(waits: Waits, cpu_ms: float = constants.CPU_MS) -> Times:
    get, put, item = (waits.of(call, constants.ORIGINAL_BYTES) for call in (Call.GET, Call.PUT, Call.ITEM))
    return Times(get, cpu_ms, put, item)


@dataclass(frozen=True)
class Load:
    """Photos that are uploaded evenly within so many seconds; 0: all at once."""

    photos: int
    seconds: float
    objects: int = OBJECTS

    def group(self, setup: Setup) -> int:
        """How many photos share their fate: few enough for the objects, but no more than a small part of the photos
        that are processed at once."""
        enough = next((size for size in GROUPS if self.photos / size <= self.objects), GROUPS[-1])
        at_once = setup.environments
        if setup.queue_concurrency:
            at_once = min(at_once, setup.queue_concurrency * constants.BATCH_PHOTOS)
        return max(size for size in GROUPS if size <= max(1, min(enough, at_once / PARTS)))


@dataclass(frozen=True)
class Result:
    """What became of the photos. Times are from the first try of an upload to READY."""

    photos: int
    ready: int
    dead: int
    in_flight: int  # neither, at the end of the run
    p50_s: float
    p99_s: float
    last_ready_s: float  # after the first upload
    decided_s: float  # after the first upload, when the last photo was READY or a dead letter
    tries: float  # of the function, for each photo
    environments: int  # at the same time, at most
    refused: dict[str, int]  # requests, units or invocations, by what refused them

    @property
    def refused_by(self) -> str:
        """Who refused more than a thousandth of what there was to do, most often first."""
        often = [name for name, count in self.refused.items() if count > self.photos / 1000]
        return ", ".join(sorted(often, key=lambda name: -self.refused[name])) or "nobody"


class Simulation:
    """One run."""

    def __init__(self, setup: Setup, load: Load, seed: int = 1) -> None:
        self.clock = Clock()
        self._random = Random(seed)
        self._setup, self._load = setup, load
        self._environments = Environments(setup.environments)
        grows = constants.TABLE_DOUBLES_S
        index = Rate(setup.album_units) if setup.one_album else Rate(setup.table_units, grows)
        table = Table(Rate(setup.table_units, grows), index, setup.units, setup.outage)
        self._uploads = Rate(constants.S3_PUTS * setup.prefixes)
        self._services = Services(
            Rate(constants.S3_GETS * setup.prefixes), Rate(constants.S3_PUTS * setup.prefixes), table, setup.renditions
        )
        work = Work(self.clock, self._random, self._services, setup.times)
        self._delivery = self._make_delivery(work)
        self._latencies: list[tuple[float, float]] = []  # s, photos
        self.ready_photos = self.dead_photos = self._tries = 0
        self._last_ready = self._last_decided = 0.0
        self._photos = 0

    def _make_delivery(self, work: Work) -> Delivery:
        setup = self._setup
        if not setup.queue:
            return Direct(self.clock, self._random, self._environments, work, self)
        readers = Readers(setup.queue_concurrency or constants.BATCHES_MOST)
        return Queue(self.clock, self._environments, work, self, readers, setup.window_s, setup.visibility_s)

    def run(self, until: float = math.inf) -> Result:
        """Until each photo is READY or a dead letter, or until that time in s."""
        group, left = self._load.group(self._setup), self._load.photos
        spacing = self._load.seconds * group / self._load.photos
        number = 0
        while left:
            count = min(group, left)
            at = (number + self._random.random()) * spacing
            self.clock.at(at, self._upload, Photos(count, at))
            number, left = number + 1, left - count
        self._photos = self._load.photos
        self.clock.run(until)
        return self._result()

    def _upload(self, photos: Photos) -> None:
        if self._uploads.take(self.clock.now, photos.count):
            seconds = self._setup.notification_s
            if seconds:
                seconds *= math.exp(self._random.gauss(0, constants.NOTIFICATION_SIGMA))
            self.clock.after(seconds, self._delivery.receive, photos)
            return
        longest = min(constants.CLIENT_BACKOFF_S * 2**photos.refusals, constants.CLIENT_BACKOFF_MOST_S)
        photos.refusals += 1
        self.clock.after(longest * self._random.uniform(0.5, 1), self._upload, photos)

    @property
    def busy_environments(self) -> int:
        return self._environments.busy

    def ready(self, photos: Photos, together: int, apart_s: float) -> None:
        """Of photos that were together in an invocation, the last one is READY now."""
        for behind in range(together):
            latency = self.clock.now - photos.uploaded_at - behind * apart_s
            self._latencies.append((latency, photos.count / together))
        self.ready_photos += photos.count
        self._last_ready = self.clock.now
        self._decide(photos)

    def dead(self, photos: Photos) -> None:
        self.dead_photos += photos.count
        self._decide(photos)

    def _decide(self, photos: Photos) -> None:
        self._tries += photos.tries * photos.count
        self._last_decided = self.clock.now

    def _result(self) -> Result:
        decided = self.ready_photos + self.dead_photos
        table = self._services.table
        self._latencies.sort()
        return Result(
            photos=self._photos,
            ready=self.ready_photos,
            dead=self.dead_photos,
            in_flight=self._photos - decided,
            p50_s=percentile(self._latencies, 0.50),
            p99_s=percentile(self._latencies, 0.99),
            last_ready_s=self._last_ready,
            decided_s=self._last_decided,
            tries=self._tries / decided if decided else 0.0,
            environments=self._environments.peak,
            refused={
                "S3 (uploads)": round(self._uploads.refused),
                "S3 (GET)": round(self._services.gets.refused),
                "S3 (renditions)": round(self._services.puts.refused),
                "the table": round(table.table.refused),
                "the album" if self._setup.one_album else "the index": round(table.index.refused),
                "Lambda": self._delivery.throttled,
            },
        )


def percentile(sorted_values: list[tuple[float, float]], share: float) -> float:
    """Of values with weights."""
    left = share * sum(weight for _, weight in sorted_values)
    for value, weight in sorted_values:
        left -= weight
        if left <= 1e-9:
            return value
    return math.nan


def simulate(setup: Setup, load: Load, seed: int = 1) -> Result:
    return Simulation(setup, load, seed).run()
