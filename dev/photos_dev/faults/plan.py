"""Which call meets which fault.

A photo's key says what it has to live through: calls of PutObject about `PutObject/lost/over-0007.jpg` lose
their answers, and no others about it do; all calls about `mixed/...` meet all faults; calls about other keys
meet none. What happens to a call is drawn from the seed, the key and the call's number among those of its
kind, so that it does not depend on who comes first.
"""

from __future__ import annotations

import hashlib

# All calls that the function makes, and whether the answer has a body.
OPERATIONS = {
    "GetObject": True,
    "HeadObject": False,
    "PutObject": False,
    "DeleteObject": False,
    "GetItem": True,
    "UpdateItem": True,
    "SendMessage": True,
}

# All faults, and how often each is drawn where all are: those that cost seconds are rare.
FAULTS = {
    "throttled": 3,  # the service says in its own words that there are too many requests
    "500": 3,  # the service says in its own words that it has failed
    "503": 3,  # what stands before the service says that it is not available
    "reset": 3,  # the connection is reset before the service hears of the call
    "lost": 3,  # the service acts, and the connection is reset instead of its answer
    "stalled": 1,  # the service acts, and its answer does not come
    "cut": 3,  # the service acts, and half of its answer's body comes
    "slow": 1,  # the service acts, and its answer's body trickles
}
OF_A_BODY = ("cut", "slow")
# The service does not hear of the call.
BEFORE_THE_SERVICE = ("throttled", "500", "503", "reset")

MIXED = "mixed"
# How many of the calls are hit.
IN_TURN_RATE = 0.7
MIXED_RATE = 0.2

# Longer than the function waits for an answer, and for most bodies (src/aws: ATTEMPT_TIMEOUT and BODY_TIMEOUT).
STALL_SECONDS = 7.0
# A trickle that is waited for, and one that is not.
TRICKLE_SECONDS = (2.0, 8.0)


def faults_of(operation: str) -> list[str]:
    """What can happen to this call."""
    has_body = OPERATIONS[operation]
    return [fault for fault in FAULTS if has_body or fault not in OF_A_BODY]


def fault(seed: int, key: str, operation: str, number: int) -> str | None:
    """What happens to the call of this number, from 0, among those of one kind about one photo."""
    folder, *in_turn, _ = key.split("/")
    hit = draw(seed, "hit", key, operation, number)
    if folder == operation and hit < IN_TURN_RATE:
        return in_turn[0]
    if folder == MIXED and operation in OPERATIONS and hit < MIXED_RATE:
        tickets = [fault for fault in faults_of(operation) for _ in range(FAULTS[fault])]
        return tickets[int(draw(seed, "fault", key, operation, number) * len(tickets))]
    return None


def trickle_seconds(seed: int, key: str, operation: str, number: int) -> float:
    """How long the body of a slow answer takes."""
    return TRICKLE_SECONDS[draw(seed, "trickle", key, operation, number) < 0.5]


def draw(seed: int, *what: object) -> float:
    """A number from 0 to below 1, always the same one."""
    digest = hashlib.sha256(repr((seed, *what)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
