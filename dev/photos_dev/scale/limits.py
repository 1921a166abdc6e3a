"""What AWS admits: requests a second, execution environments, and readers of a queue."""

from __future__ import annotations

from photos_dev.scale import constants


class Rate:
    """So many requests or units a second. What is not used within a second is lost. If `doubles_s` is given, the limit
    doubles so long after it was first reached, again and again up to `most`."""

    def __init__(
        self, a_second: float, doubles_s: float | None = None, most: float = constants.QUOTA_UNITS
    ) -> None:
        self.a_second = a_second
        self.refused = 0.0  # requests
        self._level, self._at = a_second, 0.0
        self._doubles_s, self._most = doubles_s, most
        self._reached_at: float | None = None

    def has(self, now: float, amount: float) -> bool:
        """Whether so much is left at this time."""
        self._level = min(self.a_second, self._level + (now - self._at) * self.a_second)
        self._at = now
        if self._level >= amount:
            return True
        self._reached(now)
        return False

    def take(self, now: float, amount: float) -> bool:
        """Takes so much, or counts it as refused."""
        if self.has(now, amount):
            self._level -= amount
            return True
        self.refused += amount
        return False

    def _reached(self, now: float) -> None:
        if self._doubles_s is None:
            return
        if self._reached_at is None:
            self._reached_at = now
        elif now - self._reached_at >= self._doubles_s:
            self.a_second = min(2 * self.a_second, self._most)
            self._reached_at = None


class Environments:
    """The execution environments of the function. Idle ones are used first. New ones come at Lambda's scaling rate,
    until as many are busy as the account, or the function, may have."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.busy = self.idle = self.peak = self.started = 0
        self._new_left, self._at = float(constants.NEW_ENVIRONMENTS), 0.0

    def take(self, now: float, count: int) -> int | None:
        """How many of so many environments are new ones. None: there are too few, and the invocation is throttled."""
        if self.busy + count > self.most:
            return None
        new = max(0, count - self.idle)
        refill = (now - self._at) * constants.NEW_ENVIRONMENTS_A_SECOND
        self._new_left = min(constants.NEW_ENVIRONMENTS, self._new_left + refill)
        self._at = now
        if new > self._new_left:
            return None
        self._new_left -= new
        self.started += new
        self.idle -= count - new
        self.busy += count
        self.peak = max(self.peak, self.busy)
        return new

    def give_back(self, count: int) -> None:
        self.busy -= count
        self.idle += count


class Readers:
    """How many batches of a queue are processed at once: more and more while messages wait for a reader."""

    def __init__(self, most: int) -> None:
        self.most = min(most, constants.BATCHES_MOST)
        self.busy = self.peak = 0
        self._allowed = float(min(constants.BATCHES_AT_FIRST, self.most))
        self._waiting_since: float | None = None

    def free(self, now: float) -> int:
        if self._waiting_since is not None:
            more = (now - self._waiting_since) * constants.BATCHES_A_SECOND
            self._allowed = min(self.most, self._allowed + more)
            self._waiting_since = now
        return int(self._allowed + 1e-9) - self.busy

    def messages_wait(self, now: float, wait: bool) -> None:
        """Whether messages wait for a reader from now on."""
        self._waiting_since = now if wait else None

    @property
    def can_grow(self) -> bool:
        return self._allowed < self.most

    def take(self, count: int) -> None:
        self.busy += count
        self.peak = max(self.peak, self.busy)

    def give_back(self, count: int) -> None:
        self.busy -= count
