"""Lets the stories happen, and sees each event to its end."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Any

from photos_dev.faults import photos, plan
from photos_dev.faults.judge import Last, unharmed_key
from photos_dev.faults.proxy import Proxy
from photos_dev.faults.report import Progress
from photos_dev.faults.stack import Stack, key_of, sequencer
from photos_dev.faults.stories import AGAIN, UNPROCESSABLE, OTHER, PHOTO, REMOVAL, Photo
from photos_dev.problem import Problem

# Photos that are not at their end: each of their events is a process, and there must be memory for all.
UNDER_WAY = 24
LOOK_SECONDS = 0.3
# How many of the steps do not wait until the one before is over.
CROSSING = 0.7
# Longer than the function waits for anything, or Lambda before it tries again.
QUIET_SECONDS = 20


class Driver:
    def __init__(self, stack: Stack, proxy: Proxy, seed: int, deadline: float) -> None:
        self.stack, self.proxy, self.seed, self.deadline = stack, proxy, seed, deadline
        self.catalogue: dict[str, photos.Kind] = {}
        # Of each photo: how many events there were of it, how many have ended, and the newest.
        self.events: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.newest: dict[str, dict[str, Any]] = {}
        self.lambdas_letters: set[str] = set()
        self.endless: list[str] = []

    def seconds_left(self, unfinished: list[str]) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Problem(f"the time is over and {len(unfinished)} photos are not, such as {unfinished[0]}")
        return left

    def upload_unharmed(self) -> list[Photo]:
        """One photo of each kind, without any fault, for the others to be compared with: the reference
        photo, what the function makes of it, what it makes of that, small ones, and unprocessable ones."""
        jpeg, uploaded = photos.REFERENCE.read_bytes(), []
        for size in ("5323x8000", "1331x2000", "333x500"):
            self.catalogue[size] = photos.numbered(jpeg)
            photo = unharmed(size, PHOTO)
            self.live([photo], f"without faults: {size}")
            jpeg = self.stack.thumbnail_bytes(photo.key)
            uploaded.append(photo)
        small, unprocessable = photos.small(), photos.unprocessable()
        self.catalogue |= small | unprocessable
        others = [unharmed(kind, PHOTO) for kind in small]
        others += [unharmed(kind, UNPROCESSABLE) for kind in unprocessable]
        self.live(others, "without faults")
        return uploaded + others

    def live(self, all_photos: list[Photo], what: str) -> None:
        """Lets everything happen to the photos that is to, and waits until it has come to an end."""
        progress = Progress(what, len(all_photos))
        waiting, under_way = deque(all_photos), list[Photo]()
        seen, changed_at = None, time.monotonic()
        while waiting or under_way:
            self.seconds_left([photo.key for photo in [*under_way, *waiting]])
            self.look()
            under_way = [photo for photo in under_way if not self.is_over(photo)]
            while waiting and len(under_way) < UNDER_WAY:
                under_way.append(waiting.popleft())
            for photo in under_way:
                if self.may_go_on(photo):
                    self.go_on(photo)
            progress.show(len(waiting) + len(under_way))
            now = (self.events.total(), self.ends.total(), self.proxy.journal_bytes())
            if now != seen:
                seen, changed_at = now, time.monotonic()
            elif time.monotonic() > changed_at + QUIET_SECONDS:
                self.endless += [photo.key for photo in under_way]
                under_way = []
            time.sleep(LOOK_SECONDS)
        progress.end()

    def may_go_on(self, photo: Photo) -> bool:
        """Most steps cross with the one before. An event never comes again while it is worked on: then two
        letters would be right; nor is a thumbnail removed before it is there."""
        step = photo.next_step()
        must_wait = step == AGAIN or photo.key.startswith("DeleteObject/")
        crosses = not must_wait and plan.draw(self.seed, "crosses", photo.key, photo.steps_done) < CROSSING
        return step is not None and (crosses or self.is_settled(photo.key))

    def go_on(self, photo: Photo) -> None:
        step = photo.next_step()
        photo.steps_done += 1
        self.events[photo.key] += 1
        if step == AGAIN:
            self.stack.deliver(self.newest[photo.key])
        elif step == REMOVAL:
            self.stack.remove(photo.key)
            photo.kind, photo.etag = None, ""
        else:
            photo.kind = photo.kinds[step]
            number = 2 * photo.number + (step == OTHER)
            photo.etag = self.stack.put(photo.key, self.catalogue[photo.kind](number))

    def is_over(self, photo: Photo) -> bool:
        return photo.next_step() is None and self.is_settled(photo.key)

    def look(self) -> None:
        """An event has ended with a log line that is not about a retry, or with a letter of Lambda's."""
        for line in self.stack.new_log_lines():
            self.ends[line["key"]] += line["outcome"] != "retry"
        for letter in self.stack.letters():
            if letter.is_lambdas and letter.id not in self.lambdas_letters:
                self.lambdas_letters.add(letter.id)
                self.ends[letter.key] += 1
        # After the ends, so that there is none whose event is not known.
        for record in self.stack.new_events():
            key = key_of(record)
            if key not in self.newest or sequencer(self.newest[key]) < sequencer(record):
                self.newest[key] = record

    def is_settled(self, key: str) -> bool:
        return self.ends[key] >= self.events[key]

    def last_news(self, all_photos: list[Photo]) -> dict[str, Last]:
        return {
            photo.key: Last(
                photo.kind,
                photo.kind is not None and photo.kind == photo.kinds.get(UNPROCESSABLE),
                photo.etag,
                sequencer(self.newest[photo.key]),
            )
            for photo in all_photos
        }

    def redrive(self) -> None:
        """Every letter is tried once more, and nothing is in the way."""
        self.stack.call_directly()
        self.look()
        tried = [letter.key for letter in self.stack.letters()]
        wanted = self.ends + Counter(tried)
        self.stack.redrive(self.seconds_left(tried))
        until = time.monotonic() + QUIET_SECONDS
        while not self.ends >= wanted and time.monotonic() < until:
            self.look()
            time.sleep(LOOK_SECONDS)


def unharmed(kind: str, step: str) -> Photo:
    return Photo(unharmed_key(kind), 0, [step], {step: kind})
