"""What the function does with a photo: GET, work, PUT of the renditions, and the write of the item."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random

from photos_dev.scale import constants
from photos_dev.scale.engine import Clock
from photos_dev.scale.limits import Rate


@dataclass(slots=True)
class Photos:
    """Some photos that were uploaded together and share their fate: one object of the simulation."""

    count: int
    uploaded_at: float  # the first try of the upload
    refusals: int = 0  # of what is tried at present
    tries: int = 0  # of the function
    queued_at: float = 0.0  # when Lambda or SQS got the event


class Answer(Enum):
    DONE = "done"
    REFUSED = "refused"
    SILENT = "silent"


@dataclass(frozen=True)
class Outage:
    """A time in which DynamoDB refuses every write, or does not answer."""

    starts_at: float
    ends_at: float
    answer: Answer


class Table:
    """The table and its index. If the index has no room, the write to the table is refused: Amazon DynamoDB Developer
    Guide, "Understanding Global Secondary Index (GSI) write throttling and back pressure in DynamoDB"."""

    def __init__(self, table: Rate, index: Rate, units: tuple[int, int], outage: Outage | None) -> None:
        self.table, self.index = table, index
        self._units, self._outage = units, outage

    def write(self, now: float, count: int) -> Answer:
        if self._outage and self._outage.starts_at <= now < self._outage.ends_at:
            return self._outage.answer
        of_table, of_index = (units * count for units in self._units)
        if not self.index.has(now, of_index):
            self.index.refused += count
        elif not self.table.has(now, of_table):
            self.table.refused += count
        elif self.table.take(now, of_table) and self.index.take(now, of_index):
            return Answer.DONE
        return Answer.REFUSED


@dataclass(frozen=True)
class Services:
    """What the function calls."""

    gets: Rate  # of originals
    puts: Rate  # of renditions
    table: Table
    renditions: int


@dataclass(frozen=True)
class Times:
    """How long the steps of a photo take, in ms on average. `cores` are those of one machine that all environments
    share; None: each environment has a vCPU of its own, as in Lambda at 1769 MB."""

    get_ms: float
    cpu_ms: float
    put_ms: float
    item_ms: float
    wait_sigma: float = constants.WAIT_SIGMA
    cores: int | None = None

    @property
    def photo_ms(self) -> float:
        return self.get_ms + self.cpu_ms + self.put_ms + self.item_ms

    def batch_ms(self, count: int) -> float:
        """Photos of a batch overlap: they wait together, and work one after another."""
        return self.photo_ms + (count - 1) * self.cpu_ms


# Told what became of some photos: whether they are READY, how many of them were in one invocation, and the s from one
# of these to the next.
Decided = Callable[[Photos, bool, int, float], None]


class Work:
    """Runs invocations."""

    def __init__(self, clock: Clock, random: Random, services: Services, times: Times) -> None:
        self.clock, self.random = clock, random
        self.services, self.times = services, times
        self.cores = [0.0] * (times.cores or 0)  # when each is free

    def invoke(
        self, batch: Sequence[Photos], together: int, is_cold: bool, decided: Decided, ended: Callable[[], None]
    ) -> None:
        """Begins an invocation, or several alike, with up to `together` photos in each."""
        invocation = Invocation(self, len(batch), decided, ended)
        start = constants.COLD_START_MS / 1000 if is_cold else 0.0
        for photos in batch:
            photos.tries += 1
            self.clock.after(start, invocation.fetch, photos, min(photos.count, together))


class Invocation:
    """One invocation, or several alike."""

    __slots__ = ("_work", "_clock", "_times", "_left", "_decided", "_ended", "_vcpu_free_at")

    def __init__(self, work: Work, photos: int, decided: Decided, ended: Callable[[], None]) -> None:
        self._work, self._clock, self._times = work, work.clock, work.times
        self._left, self._decided, self._ended = photos, decided, ended
        self._vcpu_free_at = 0.0

    def fetch(self, photos: Photos, together: int) -> None:
        self._call(self._get, self._times.get_ms, self._render, photos, together)

    def _get(self, photos: Photos) -> Answer:
        return _answer(self._work.services.gets.take(self._clock.now, photos.count))

    def _render(self, photos: Photos, together: int) -> None:
        now, cores = self._clock.now, self._work.cores
        seconds = together * self._times.cpu_ms / 1000 * _vary(self._work.random, constants.CPU_SIGMA)
        if cores:
            done_at = max(now, heapq.heappop(cores)) + seconds
            heapq.heappush(cores, done_at)
        else:
            done_at = self._vcpu_free_at = max(now, self._vcpu_free_at) + seconds
        self._clock.at(done_at, self._store, photos, together)

    def _store(self, photos: Photos, together: int) -> None:
        self._call(self._put, self._times.put_ms, self._commit, photos, together)

    def _put(self, photos: Photos) -> Answer:
        services = self._work.services
        return _answer(services.puts.take(self._clock.now, photos.count * services.renditions))

    def _commit(self, photos: Photos, together: int) -> None:
        self._call(self._write, self._times.item_ms, self._ready, photos, together)

    def _write(self, photos: Photos) -> Answer:
        return self._work.services.table.write(self._clock.now, photos.count)

    def _ready(self, photos: Photos, together: int) -> None:
        self._end(photos, True, together)

    def _call(
        self,
        ask: Callable[[Photos], Answer],
        wait_ms: float,
        then: Callable[[Photos, int], None],
        photos: Photos,
        together: int,
        attempt: int = 1,
    ) -> None:
        """A call with the SDK's repetitions."""
        answer = ask(photos)
        if answer is Answer.DONE:
            wait = wait_ms / 1000 * _vary(self._work.random, self._times.wait_sigma)
            self._clock.after(wait, then, photos, together)
        elif answer is Answer.SILENT:
            self._clock.after(constants.CALL_TIMEOUT_S, self._end, photos, False, together)
        elif attempt == constants.CALL_ATTEMPTS:
            self._clock.after(constants.REFUSAL_MS / 1000, self._end, photos, False, together)
        else:
            pause = self._work.random.random() * constants.CALL_BACKOFF_S * 2 ** (attempt - 1)
            after = constants.REFUSAL_MS / 1000 + pause
            self._clock.after(after, self._call, ask, wait_ms, then, photos, together, attempt + 1)

    def _end(self, photos: Photos, is_ready: bool, together: int) -> None:
        self._decided(photos, is_ready, together, self._times.cpu_ms / 1000)
        self._left -= 1
        if not self._left:
            self._ended()


def _answer(admitted: bool) -> Answer:
    return Answer.DONE if admitted else Answer.REFUSED


def _vary(random: Random, sigma: float) -> float:
    """A factor whose mean is 1."""
    return math.exp(random.gauss(-sigma * sigma / 2, sigma)) if sigma else 1.0
