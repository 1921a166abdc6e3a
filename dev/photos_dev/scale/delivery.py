"""How the event of a photo reaches the function."""

from __future__ import annotations

import math
from collections import deque
from random import Random
from typing import Protocol

from photos_dev.scale import constants
from photos_dev.scale.engine import Clock
from photos_dev.scale.limits import Environments, Readers
from photos_dev.scale.work import Photos, Work


class Outcomes(Protocol):
    """Who is told what became of photos."""

    def ready(self, photos: Photos, together: int, apart_s: float) -> None: ...

    def dead(self, photos: Photos) -> None: ...


class Delivery(Protocol):
    """S3 gives it the events."""

    throttled: int  # invocations that found no environment, each time

    def receive(self, photos: Photos) -> None: ...


class Direct:
    """S3 invokes the function asynchronously, and Lambda keeps the event in a queue of its own. It tries an event that
    found no environment again for six hours, and an event whose function has failed twice."""

    def __init__(
        self, clock: Clock, random: Random, environments: Environments, work: Work, outcomes: Outcomes
    ) -> None:
        self._clock, self._random, self._environments = clock, random, environments
        self._work, self._outcomes = work, outcomes
        self.throttled = 0

    def receive(self, photos: Photos) -> None:
        photos.queued_at, photos.refusals = self._clock.now, 0
        self._invoke(photos)

    def _invoke(self, photos: Photos) -> None:
        clock, count = self._clock, photos.count
        if clock.now - photos.queued_at > constants.EVENT_AGE_S:
            self._outcomes.dead(photos)
            return
        new = self._environments.take(clock.now, count)
        if new is None:
            self.throttled += count
            clock.after(self._pause(photos), self._invoke, photos)
            return
        self._work.invoke([photos], 1, new > 0, self._decided, lambda: self._environments.give_back(count))

    def _pause(self, photos: Photos) -> float:
        """Assumption: a half of the pause is at random, so that events of one moment do not come back together."""
        longest = min(constants.THROTTLED_S * 2**photos.refusals, constants.THROTTLED_MOST_S)
        photos.refusals += 1
        return longest * self._random.uniform(0.5, 1)

    def _decided(self, photos: Photos, is_ready: bool, together: int, apart_s: float) -> None:
        if is_ready:
            self._outcomes.ready(photos, together, apart_s)
        elif photos.tries > len(constants.RETRIES_S):
            self._outcomes.dead(photos)
        else:
            photos.refusals = 0
            self._clock.after(constants.RETRIES_S[photos.tries - 1], self._invoke, photos)


class Queue:
    """S3 sends the event to an SQS queue, from which Lambda reads batches of up to ten.

    A message that was not done is visible again after the visibility timeout; the function reports each message
    alone, so that Lambda does not slow down (AWS Lambda Developer Guide, "Handling errors for an SQS event source").
    Assumptions: free readers share the messages evenly, and a batch that finds no environment waits for one without
    being received again.
    """

    def __init__(
        self,
        clock: Clock,
        environments: Environments,
        work: Work,
        outcomes: Outcomes,
        readers: Readers,
        window_s: float,
        visibility_s: float,
    ) -> None:
        self._clock, self._environments = clock, environments
        self._work, self._outcomes, self._readers = work, outcomes, readers
        self._window_s, self._visibility_s = window_s, visibility_s
        self._visible: deque[Photos] = deque()
        self._waiting = 0  # photos
        self._next_look = math.inf
        self.throttled = 0

    def receive(self, photos: Photos) -> None:
        photos.queued_at = self._clock.now
        self._visible.append(photos)
        self._waiting += photos.count
        self._look()

    def _look(self) -> None:
        """Gives the messages to free readers."""
        clock = self._clock
        while self._visible:
            free = self._readers.free(clock.now)
            if self._window_s and self._waiting < constants.BATCH_PHOTOS:
                full_at = self._visible[0].queued_at + self._window_s
                if clock.now < full_at - 1e-9:
                    self._look_at(full_at)
                    return
                together = constants.BATCH_PHOTOS
            elif self._window_s:
                together = constants.BATCH_PHOTOS
            else:
                together = min(max(math.ceil(self._waiting / max(free, 1)), 1), constants.BATCH_PHOTOS)
            readers = math.ceil(self._visible[0].count / together)
            if free < readers:
                self._readers.messages_wait(clock.now, True)
                if self._readers.can_grow:
                    self._look_at(clock.now + 1 / constants.BATCHES_A_SECOND)
                return
            new = self._environments.take(clock.now, readers)
            if new is None:
                self.throttled += readers
                self._look_at(clock.now + 1)
                return
            self._read(readers, together, new > 0)
        self._readers.messages_wait(clock.now, False)

    def _look_at(self, time: float) -> None:
        if time < self._next_look:
            self._next_look = time
            self._clock.at(time, self._look_now, time)

    def _look_now(self, time: float) -> None:
        if time == self._next_look:
            self._next_look = math.inf
            self._look()

    def _read(self, readers: int, together: int, is_cold: bool) -> None:
        batch = [self._visible.popleft()]
        count = batch[0].count
        while self._visible and count + self._visible[0].count <= together:
            batch.append(self._visible.popleft())
            count += batch[-1].count
        self._waiting -= count
        self._readers.take(readers)
        received_at = self._clock.now

        def decided(photos: Photos, is_ready: bool, together: int, apart_s: float) -> None:
            if is_ready:
                self._outcomes.ready(photos, together, apart_s)
            elif photos.tries >= constants.RECEIVES:
                self._outcomes.dead(photos)
            else:
                visible_at = max(received_at + self._visibility_s, self._clock.now)
                self._clock.at(visible_at, self.receive, photos)

        def ended() -> None:
            self._readers.give_back(readers)
            self._environments.give_back(readers)
            self._look()

        self._work.invoke(batch, together, is_cold, decided, ended)


