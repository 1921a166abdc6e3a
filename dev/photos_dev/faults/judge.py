"""The end of each photo, compared with what the function promises."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from photos_dev.faults.stack import DeadLetter, Rendition, Stack

READY, FAILED, REMOVED = "ready", "failed, with a dead letter", "removed"
WAITING = "in a dead letter by Lambda"
LOST, HALF, DIFFERENT = "lost", "half-written", "different"
PROMISED, BROKEN = (READY, FAILED, REMOVED, WAITING), (LOST, HALF, DIFFERENT)
# Reasons why the function sent a dead letter.
FIRST, UNANSWERED, UNWRITTEN, UNNECESSARY = "first", "unanswered", "unwritten", "unnecessary"

UNHARMED = "unharmed"
# Attributes that differ between two keys of the same picture: in the item, its original, and a rendition.
OF_THE_KEY = {"photoKey", "album", "contentKey", "sequencer", "processedAt", "timelineAt", "places"}
OF_THE_ORIGINAL = {"contentSha256", "etag", "uploadedAt"}
OF_THE_RENDITION = {"key", "version"}


@dataclass(frozen=True)
class Last:
    """The last state of a key: the photo that it holds, or nothing (no kind)."""

    kind: str | None
    is_unprocessable: bool
    etag: str
    sequencer: str


@dataclass(frozen=True)
class World:
    """All that exists at one moment, by photo key."""

    items: dict[str, dict[str, Any]]
    renditions: dict[str, dict[str, Rendition]]
    dead_letters: dict[str, list[DeadLetter]]

    @classmethod
    def of(cls, stack: Stack) -> World:
        dead_letters: dict[str, list[DeadLetter]] = defaultdict(list)
        for dead_letter in stack.dead_letters():
            dead_letters[dead_letter.key].append(dead_letter)
        return cls(stack.items(), stack.renditions(), dict(dead_letters))


@dataclass(frozen=True)
class End:
    verdict: str
    why: str = ""


def unharmed_key(kind: str) -> str:
    """Key of the photo of a kind that meets no fault. It ends in .jpg, as the function would ignore others."""
    return f"{UNHARMED}/{kind}.jpg"


def state(key: str, last: Last, world: World, unharmed: World) -> End:
    """Compares a photo's item and renditions with its last state, and with those of the same picture without faults."""
    item, renditions = world.items.get(key, {}), world.renditions.get(key, {})
    if last.kind is None:
        return removed(item, renditions)
    if (item.get("sequencer"), etag_of(item)) != (last.sequencer, last.etag):
        if any(rendition.original_etag == last.etag for rendition in renditions.values()):
            return End(HALF, "a rendition is of the last upload, the item is not")
        return End(LOST, f"there is no item of the last upload; the stored item: {brief(item)}")
    if item["status"] != ("FAILED" if last.is_unprocessable else "READY"):
        return End(DIFFERENT, f"the item has the wrong status: {brief(item)}")
    twin = unharmed_key(last.kind)
    if facts(item) != facts(unharmed.items[twin]):
        return End(DIFFERENT, f"the item is not as without faults: {brief(item)}")
    if last.is_unprocessable:
        return failed(item, renditions, world.dead_letters.get(key, []))
    return ready(item, renditions, unharmed.renditions.get(twin, {}))


def removed(item: dict[str, Any], renditions: dict[str, Rendition]) -> End:
    is_tombstone = item.get("status") == "DELETED"
    if is_tombstone and not renditions:
        return End(REMOVED)
    verdict = HALF if is_tombstone or not renditions else LOST
    return End(verdict, f"the photo was removed; its renditions: {names(renditions)}; its item: {brief(item)}")


def failed(item: dict[str, Any], renditions: dict[str, Rendition], dead_letters: list[DeadLetter]) -> End:
    if not dead_letters:
        return End(LOST, "the item is FAILED, but there is no dead letter")
    if item["failure"].get("deadLetterId") not in [dead_letter.id for dead_letter in dead_letters]:
        return End(HALF, "the item is FAILED, but names a dead letter that does not exist")
    if renditions:
        return End(HALF, f"the item is FAILED, but there are renditions: {names(renditions)}")
    return End(FAILED)


def ready(item: dict[str, Any], renditions: dict[str, Rendition], twin: dict[str, Rendition]) -> End:
    """The item's own names are those of the twin, as their facts are compared."""
    if renditions.keys() != item["renditions"].keys():
        return End(HALF, f"the item is READY and names {names(item['renditions'])}; there are {names(renditions)}")
    for name, rendition in renditions.items():
        if rendition.original_etag != etag_of(item):
            return End(HALF, f"the item is READY, but {name} is of another upload")
        if rendition.bytes != item["renditions"][name]["bytes"]:
            return End(HALF, f"{name} has another size in bytes than its item says")
        if name not in twin or rendition.digest != twin[name].digest:
            return End(DIFFERENT, f"{name} is not as without faults")
    return End(READY)


def names(renditions: dict[str, Any]) -> str:
    return ", ".join(sorted(renditions)) or "none"


def facts(item: dict[str, Any]) -> dict[str, Any]:
    """The attributes that do not depend on the photo's key and time."""
    kept = without(item, OF_THE_KEY)
    if failure := kept.get("failure"):
        kept["failure"] = {name: failure[name] for name in failure if name != "deadLetterId"}
    if original := kept.get("original"):
        kept["original"] = without(original, OF_THE_ORIGINAL)
    if renditions := kept.get("renditions"):
        kept["renditions"] = {name: without(rendition, OF_THE_RENDITION) for name, rendition in renditions.items()}
    return kept


def without(values: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def etag_of(item: dict[str, Any]) -> str | None:
    return item.get("original", {}).get("etag")


def brief(item: dict[str, Any]) -> str:
    values = item | {"etag": etag_of(item)}
    names = ("status", "etag", "sequencer", "failure")
    return ", ".join(f"{name} {values[name]}" for name in names if values.get(name)) or "none"


def order(item: dict[str, Any]) -> tuple[str, str]:
    """What comes later is greater, as docs/notices.md tells those who receive notices."""
    return item["sequencer"], item["processedAt"]


def untold(items: dict[str, dict[str, Any]], notices: list[dict[str, Any]]) -> list[str]:
    """The photos of which somebody who follows the notices does not know the state. A removal tells nothing where no
    photo was told before."""
    by_photo = defaultdict(list)
    for notice in notices:
        by_photo[notice["photoKey"]].append(notice)
    missing = []
    for key, item in items.items():
        known = max((notice for notice in by_photo[key] if order(notice) <= order(item)), key=order, default=None)
        if item["status"] == "DELETED":
            is_known = known is None or known["status"] == "DELETED"
        else:
            is_known = known is not None and (known["status"], order(known)) == (item["status"], order(item))
        if not is_known:
            missing.append(key)
    return missing


def rewritten(calls: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """The number of renditions that were written more than once, and errors about those that were not written with the
    same bytes each time. S3's ETag is the MD5 of the bytes."""
    etags: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for call in calls:
        is_unharmed = call["key"].startswith(f"{UNHARMED}/")
        if call["operation"] == "PutObject" and call["status"] == 200 and not is_unharmed:
            etags[call["key"], call["rendition"], call["original"]].append(call["etag"])
    again = {which: written for which, written in etags.items() if len(written) > 1}
    differing = [which for which, written in again.items() if len(set(written)) > 1]
    return len(again), [
        f"{key}: {DIFFERENT}: its {name} was written again with other bytes" for key, name, _ in differing
    ]


def strays(before: World, after: World, last: dict[str, Last]) -> Iterator[str]:
    """Errors about things that the redrive should not have left: new dead letters, those about photos that can be
    processed, and anything of photos that were not uploaded."""
    known = {dead_letter.id for dead_letters in before.dead_letters.values() for dead_letter in dead_letters}
    for key in {*after.items, *after.renditions, *after.dead_letters} - last.keys():
        if not key.startswith(f"{UNHARMED}/"):
            yield f"{key}: it exists, but was not uploaded"
    for key, its_last in last.items():
        dead_letters = after.dead_letters.get(key, [])
        if dead_letters and not its_last.is_unprocessable:
            yield f"{key}: {len(dead_letters)} dead letters are left, but the photo can be processed"
        if any(dead_letter.id not in known for dead_letter in dead_letters):
            yield f"{key}: the redrive has sent another dead letter"


def explain(
    key: str, dead_letters: list[DeadLetter], calls: list[dict[str, Any]], events: int, is_ever_unprocessable: bool
) -> tuple[Counter[str], list[str]]:
    """The reasons for the dead letters about a photo, with their numbers, and errors about the others. `calls` are the
    calls about it, and `events` is the number of events that the function received."""
    wrong = []
    by_lambda = sum(dead_letter.is_by_lambda for dead_letter in dead_letters)
    reasons = Counter({WAITING: by_lambda})
    if by_lambda > events:
        wrong.append(f"{key}: {by_lambda} dead letters by Lambda about {events} events")
    if by_lambda and not any(call["fault"] for call in calls):
        wrong.append(f"{key}: a dead letter by Lambda, but no call met a fault")
    own = Counter(dead_letter.sequencer for dead_letter in dead_letters if not dead_letter.is_by_lambda)
    if own and not is_ever_unprocessable:
        wrong.append(f"{key}: {own.total()} dead letters, but nothing unprocessable was uploaded")
    for sequencer in {call["sequencer"] for call in calls if call["operation"] == "SendMessage"}:
        sent = list(sendings(calls, sequencer))
        reasons.update(sent)
        if len(sent) != own[sequencer]:
            wrong.append(f"{key}: {len(sent)} dead letters about one event were sent, but {own[sequencer]} exist")
        if UNNECESSARY in sent:
            wrong.append(f"{key}: another dead letter about one event, although the item named the first")
    return reasons, wrong


def sendings(calls: list[dict[str, Any]], sequencer: str) -> Iterator[str]:
    """The reason for each dead letter about one event: it is the first; SQS's answer about the one before was lost; or
    the item that names the one before could not be written."""
    why = FIRST
    for call in calls:
        if call.get("sequencer") != sequencer:
            continue
        has_acted = call["status"] == 200
        if call["operation"] == "SendMessage" and has_acted:
            yield why
            why = UNANSWERED if call["fault"] else UNNECESSARY
        elif call.get("writes") == "FAILED" and has_acted:
            why = UNNECESSARY
        elif call.get("writes") == "FAILED" and why == UNNECESSARY and call["status"] is None:
            why = UNWRITTEN
