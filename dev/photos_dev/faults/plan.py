"""The fault of each call.

A photo's key says which faults it meets: PutObject about `PutObject/lost/over-0007.jpg` loses its answers, and
other calls about that key meet no fault; calls about `mixed/...` meet any fault; calls about other keys meet none.
A call's fault is drawn from the seed, the key, the rendition that it is about, and its number among the calls of its
kind about that one, so that it does not depend on the order of the calls.
"""

from __future__ import annotations

import hashlib

from photos_dev.benches.load.waits import INJECTED_MS, PUBLISHED, Call

# All calls that the function makes -> whether the answer has a body.
OPERATIONS = {
    "GetObject": True,
    "HeadObject": False,
    "PutObject": False,
    "DeleteObject": False,
    "GetItem": True,
    "UpdateItem": True,
    "SendMessage": True,
}

# What each call waits in AWS, and guesses for calls of which nobody has published it.
PUBLISHED_MS = INJECTED_MS[PUBLISHED.title]
WAITS_MS = {
    "GetObject": PUBLISHED_MS[Call.GET],
    "HeadObject": 12,
    "PutObject": PUBLISHED_MS[Call.PUT],
    "DeleteObject": 12,
    "GetItem": PUBLISHED_MS[Call.ITEM],
    "UpdateItem": PUBLISHED_MS[Call.ITEM],
    "SendMessage": 10,
}

# All faults -> how often each is drawn for `mixed`. Faults that take seconds are rare.
FAULTS = {
    "throttled": 3,  # the service's own error about too many requests
    "500": 3,  # the service's own error about a failure
    "503": 3,  # a load balancer's error that the service is unavailable
    "reset": 3,  # the connection is reset before the service receives the call
    "lost": 3,  # the service acts, and the connection is reset instead of its answer
    "stalled": 1,  # the service acts, but its answer does not come
    "cut": 3,  # the service acts, but only half of its answer's body comes
    "slow": 1,  # the service acts, but its answer's body comes slowly
}
OF_A_BODY = ("cut", "slow")
# Faults with which the call does not reach the service.
BEFORE_THE_SERVICE = ("throttled", "500", "503", "reset")

# How many renditions a photo has -> the setting.
RENDITIONS = {
    1: "thumbnail: scale=0.25 quality=0.9",
    4: "thumbnail: scale=0.25 quality=0.9; grid: fit=400; screen: fit=1600 format=webp; square: cover=200x200",
}
RENDITION_NAMES = ("thumbnail", "grid", "screen", "square")

MIXED = "mixed"
# Shares of the calls that meet a fault.
IN_TURN_RATE = 0.7
MIXED_RATE = 0.2

# Longer than the function waits for an answer, and for most bodies (src/aws: ATTEMPT_TIMEOUT and BODY_TIMEOUT).
STALL_SECONDS = 7.0
# Times of a slow body: one that the function waits for, and one that it does not.
TRICKLE_SECONDS = (2.0, 8.0)


def faults_of(operation: str) -> list[str]:
    """The faults that this call can meet."""
    has_body = OPERATIONS[operation]
    return [fault for fault in FAULTS if has_body or fault not in OF_A_BODY]


def photo_of(key: str) -> tuple[str, str]:
    """The photo's key and the rendition's name of an object's key; no name for an original."""
    name, _, photo = key.partition("/")
    return (photo.removesuffix(".webp"), name) if name in RENDITION_NAMES else (key, "")


def fault(seed: int, key: str, operation: str, rendition: str, number: int) -> str | None:
    """The fault of a call about a photo or one of its renditions; `number`, from 0, counts the calls of the same kind
    about it."""
    folder, *in_turn, _ = key.split("/")
    call = (key, operation, rendition, number)
    hit = draw(seed, "hit", *call)
    if folder == operation and hit < IN_TURN_RATE:
        return in_turn[0]
    if folder == MIXED and operation in OPERATIONS and hit < MIXED_RATE:
        tickets = [fault for fault in faults_of(operation) for _ in range(FAULTS[fault])]
        return tickets[int(draw(seed, "fault", *call) * len(tickets))]
    return None


def trickle_seconds(seed: int, key: str, operation: str, rendition: str, number: int) -> float:
    """Duration of a slow answer's body."""
    return TRICKLE_SECONDS[draw(seed, "trickle", key, operation, rendition, number) < 0.5]


def draw(seed: int, *what: object) -> float:
    """A number from 0 to below 1, always the same for the same arguments."""
    digest = hashlib.sha256(repr((seed, *what)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
