"""Runs the stories, and waits until each event has ended."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Any

from photos_dev.faults import photos, plan
from photos_dev.faults.judge import Last, unharmed_key, untold
from photos_dev.faults.proxy import Proxy
from photos_dev.faults.report import Progress
from photos_dev.faults.stack import Stack, key_of, sequencer
from photos_dev.faults.stories import AGAIN, UNPROCESSABLE, OTHER, PHOTO, REMOVAL, Photo
from photos_dev.problem import Problem

# Most photos under way at once: each of their events is a process, and all need memory.
UNDER_WAY = 24
LOOK_SECONDS = 0.3
# Share of the steps that do not wait until the one before has ended.
CROSSING = 0.7
# Longer than any wait of the function, or of Lambda before it tries again.
QUIET_SECONDS = 20


class Driver:
    def __init__(self, stack: Stack, proxy: Proxy, seed: int, deadline: float) -> None:
        self.stack, self.proxy, self.seed, self.deadline = stack, proxy, seed, deadline
        self.what = "one rendition each" if stack.renditions_each == 1 else f"{stack.renditions_each} renditions each"
        self.catalogue: dict[str, photos.Kind] = {}
        # By photo: number of its events, number of those that have ended, and the newest event.
        self.events: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.newest: dict[str, dict[str, Any]] = {}
        self.seen_dead_letters: set[str] = set()
        self.endless: list[str] = []

    def seconds_left(self, unfinished: list[str]) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Problem(f"{len(unfinished)} photos are not done in time, such as {unfinished[0]}: raise --within")
        return left

    def upload_unharmed(self) -> list[Photo]:
        """Uploads one photo of each kind without faults, for comparison with the others: the reference photo,
        its thumbnail, the thumbnail of that, small photos, and unprocessable ones."""
        jpeg, uploaded = photos.REFERENCE.read_bytes(), []
        for size in ("5323x8000", "1331x2000", "333x500"):
            self.catalogue[size] = photos.numbered(jpeg)
            photo = unharmed(size, PHOTO)
            self.live([photo], f"{self.what}, without faults: {size}")
            jpeg = self.stack.thumbnail_bytes(photo.key)
            uploaded.append(photo)
        small, unprocessable = photos.small(), photos.unprocessable()
        self.catalogue |= small | unprocessable
        others = [unharmed(kind, PHOTO) for kind in small]
        others += [unharmed(kind, UNPROCESSABLE) for kind in unprocessable]
        self.live(others, f"{self.what}, without faults")
        return uploaded + others

    def live(self, all_photos: list[Photo], what: str) -> None:
        """Runs the stories of the photos, and waits until all of their events have ended."""
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
        """Whether the photo's next step may begin. Most steps cross with the one before. But an event does not come
        again while it is processed, as two dead letters would then be correct, and a thumbnail is not removed before
        it exists."""
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
        """Counts events that have ended: with a log line that is not about a retry, or with a dead letter by Lambda."""
        for line in self.stack.new_log_lines():
            self.ends[line["key"]] += line["outcome"] != "retry"
        for dead_letter in self.stack.dead_letters():
            if dead_letter.is_by_lambda and dead_letter.id not in self.seen_dead_letters:
                self.seen_dead_letters.add(dead_letter.id)
                self.ends[dead_letter.key] += 1
        # Read after the ends, so that the event of each end is known.
        for record in self.stack.new_events():
            key = key_of(record)
            if key not in self.newest or sequencer(self.newest[key]) < sequencer(record):
                self.newest[key] = record

    def is_settled(self, key: str) -> bool:
        return self.ends[key] >= self.events[key]

    def last_states(self, all_photos: list[Photo]) -> dict[str, Last]:
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
        """Tries every dead letter once more, without faults."""
        self.stack.call_directly()
        self.look()
        tried = [dead_letter.key for dead_letter in self.stack.dead_letters()]
        wanted = self.ends + Counter(tried)
        self.stack.redrive(self.seconds_left(tried))
        until = time.monotonic() + QUIET_SECONDS
        while not self.ends >= wanted and time.monotonic() < until:
            self.look()
            time.sleep(LOOK_SECONDS)


    def notices(self, *worlds: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """All notices so far, once each of these items was told, or no more come."""
        found, until = list[dict[str, Any]](), time.monotonic() + QUIET_SECONDS
        while time.monotonic() < until:
            if new := list(self.stack.new_notices()):
                found += new
                until = time.monotonic() + QUIET_SECONDS
            elif not any(untold(items, found) for items in worlds):
                break
            time.sleep(LOOK_SECONDS)
        return found


def unharmed(kind: str, step: str) -> Photo:
    return Photo(unharmed_key(kind), 0, [step], {step: kind})
