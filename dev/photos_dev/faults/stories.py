"""The stories of the photos: each key has a story, and its name says which faults it meets."""

from __future__ import annotations

import random
from dataclasses import dataclass

from photos_dev.faults import plan
from photos_dev.problem import Problem

PHOTO, OTHER, UNPROCESSABLE, REMOVAL, AGAIN = "photo", "other", "unprocessable", "removal", "again"
STORIES = {
    "good": [PHOTO],
    "over": [PHOTO, OTHER],
    "twice": [PHOTO, AGAIN],
    "broken": [UNPROCESSABLE],
    "broken-twice": [UNPROCESSABLE, AGAIN],
    "spoiled": [PHOTO, UNPROCESSABLE],
    "healed": [UNPROCESSABLE, PHOTO],
    "removed": [PHOTO, REMOVAL],
    "replaced": [PHOTO, REMOVAL, OTHER],
    "restored": [PHOTO, REMOVAL, PHOTO],
    "busy": [PHOTO, OTHER, REMOVAL, UNPROCESSABLE, PHOTO],
}
# Stories in which a call occurs.
STORIES_OF = {
    "GetObject": ["good", "over", "twice"],
    "HeadObject": ["replaced", "removed", "restored", "spoiled", "replaced"],
    "PutObject": ["good", "over", "replaced", "twice"],
    "DeleteObject": ["removed", "spoiled", "replaced"],
    "GetItem": ["replaced", "broken", "removed", "over"],
    "UpdateItem": ["replaced", "good", "restored", "over", "replaced", "broken", "removed"],
    "SendMessage": ["broken", "spoiled", "broken-twice", "healed"],
    plan.MIXED: [
        "good", "over", "removed", "replaced", "broken-twice", "good", "twice", "spoiled", "busy", "good",
        "restored", "healed",
    ],
}


@dataclass
class Photo:
    """A key and its story."""

    key: str
    number: int
    story: list[str]
    # Step -> the kind of file that it uploads.
    kinds: dict[str, str]
    steps_done: int = 0
    # Kind and ETag of the object that the key holds now, if it holds one.
    kind: str | None = None
    etag: str = ""

    def next_step(self) -> str | None:
        return self.story[self.steps_done] if self.steps_done < len(self.story) else None


def choose(count: int, seed: int, good: list[str], unprocessable: list[str]) -> list[Photo]:
    """Chooses stories: for three quarters of the photos one fault at one call, with as many photos for each; for the
    others all faults. `good` are the kinds that take turns."""
    pairs = [(operation, fault) for operation in plan.OPERATIONS for fault in plan.faults_of(operation)]
    for_each = count * 3 // 4 // len(pairs)
    if for_each == 0:
        raise Problem(f"{count} photos are too few: the faults need at least {-(-len(pairs) * 4 // 3)}")
    plots = [
        (f"{operation}/{fault}", stories[number % len(stories)])
        for operation, fault in pairs
        for stories in [STORIES_OF[operation]]
        for number in range(for_each)
    ]
    stories = STORIES_OF[plan.MIXED]
    for number in range(count - len(plots)):
        plots.append((plan.MIXED, stories[number % len(stories)]))
    # The slowest photos do not come last, so that the run does not end with waiting for them.
    place = random.Random(seed).random
    plots.sort(key=lambda plot: place() * (0.6 if plot[0].endswith("/stalled") else 1))
    chosen = []
    for number, (folder, story) in enumerate(plots, 1):
        kinds = {
            PHOTO: good[number % len(good)],
            OTHER: good[(number + 1) % len(good)],
            UNPROCESSABLE: unprocessable[number % len(unprocessable)],
        }
        chosen.append(Photo(f"{folder}/{story}-{number:04}.jpg", number, STORIES[story], kinds))
    return chosen


def in_turn(real: str, quarter: str, small: list[str]) -> list[str]:
    """Of 16 photos, one is as large as real ones, and one is a quarter of that."""
    return [real, quarter, *(small[number % len(small)] for number in range(14))]
