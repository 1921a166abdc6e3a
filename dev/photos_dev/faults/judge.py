"""What became of each photo, and whether that is what was promised."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from photos_dev.faults.stack import Letter, Stack, Thumbnail

READY, FAILED, REMOVED = "ready", "failed, with a letter", "removed"
WAITING = "in a letter of Lambda's"
LOST, HALF, DIFFERENT = "lost", "half-written", "differing"
PROMISED, BROKEN = (READY, FAILED, REMOVED, WAITING), (LOST, HALF, DIFFERENT)
# Why a letter of the function's own was sent.
FIRST, UNTOLD, UNWRITTEN, UNNECESSARY = "first", "untold", "unwritten", "unnecessary"

UNHARMED = "unharmed"
# Attributes in which two keys with the same picture differ, those of the original, and those of a rendition.
OF_THE_KEY = {"photoKey", "album", "sequencer", "processedAt", "timelineAt", "places"}
OF_THE_ORIGINAL = {"etag", "uploadedAt"}
OF_THE_RENDITION = {"key", "version"}


@dataclass(frozen=True)
class Last:
    """The last news of a key: what it holds since then, or that it holds nothing (no kind)."""

    kind: str | None
    is_unprocessable: bool
    etag: str
    sequencer: str


@dataclass(frozen=True)
class World:
    """All that there is at one moment, by photo key."""

    items: dict[str, dict[str, Any]]
    thumbnails: dict[str, Thumbnail]
    letters: dict[str, list[Letter]]

    @classmethod
    def of(cls, stack: Stack) -> World:
        letters: dict[str, list[Letter]] = defaultdict(list)
        for letter in stack.letters():
            letters[letter.key].append(letter)
        return cls(stack.items(), stack.thumbnails(), dict(letters))


@dataclass(frozen=True)
class End:
    verdict: str
    why: str = ""


def unharmed_key(kind: str) -> str:
    """Of the photo of a kind that meets no fault. By its name it is a photo: else the unprocessable ones were ignored."""
    return f"{UNHARMED}/{kind}.jpg"


def state(key: str, last: Last, world: World, unharmed: World) -> End:
    """What there is of a photo, against what its last news asks for, and against what was made of the same
    picture without any fault."""
    item, thumbnail = world.items.get(key, {}), world.thumbnails.get(key)
    if last.kind is None:
        return removed(item, thumbnail)
    if (item.get("sequencer"), etag_of(item)) != (last.sequencer, last.etag):
        if thumbnail and thumbnail.original_etag == last.etag:
            return End(HALF, "the thumbnail is of the last upload, the item is not")
        return End(LOST, f"no item of the last upload; the item: {brief(item)}")
    if item["status"] != ("FAILED" if last.is_unprocessable else "READY"):
        return End(DIFFERENT, f"this is not what such a photo ends as: {brief(item)}")
    twin = unharmed_key(last.kind)
    if facts(item) != facts(unharmed.items[twin]):
        return End(DIFFERENT, f"another item than without faults: {brief(item)}")
    if last.is_unprocessable:
        return failed(item, thumbnail, world.letters.get(key, []))
    return ready(item, thumbnail, unharmed.thumbnails.get(twin))


def removed(item: dict[str, Any], thumbnail: Thumbnail | None) -> End:
    is_tombstone = item.get("status") == "DELETED"
    if is_tombstone and not thumbnail:
        return End(REMOVED)
    there = "is still there" if thumbnail else "is gone"
    verdict = HALF if is_tombstone or not thumbnail else LOST
    return End(verdict, f"the photo was removed; its thumbnail {there}, its item: {brief(item)}")


def failed(item: dict[str, Any], thumbnail: Thumbnail | None, letters: list[Letter]) -> End:
    if not letters:
        return End(LOST, "the item is FAILED, but no letter is about it")
    if item["failure"].get("deadLetterId") not in [letter.id for letter in letters]:
        return End(HALF, "the item is FAILED and names a letter that is not there")
    if thumbnail:
        return End(HALF, "the item is FAILED, but there is a thumbnail")
    return End(FAILED)


def ready(item: dict[str, Any], thumbnail: Thumbnail | None, twin: Thumbnail | None) -> End:
    if not thumbnail:
        return End(HALF, "the item is READY, but there is no thumbnail")
    if thumbnail.original_etag != etag_of(item):
        return End(HALF, "the item is READY, but the thumbnail is of another upload")
    if thumbnail.bytes != item["renditions"]["thumbnail"]["bytes"]:
        return End(HALF, "the thumbnail has not as many bytes as its item says")
    if not twin or thumbnail.digest != twin.digest:
        return End(DIFFERENT, "another thumbnail than of the same picture without faults")
    return End(READY)


def facts(item: dict[str, Any]) -> dict[str, Any]:
    """What does not depend on the photo's key and time."""
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


def rewritten(calls: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """How many thumbnails were written more than once, and which of them not as the same bytes, of which
    S3's ETag is the MD5."""
    etags: dict[tuple[str, str], list[str]] = defaultdict(list)
    for call in calls:
        if call["operation"] == "PutObject" and call["status"] == 200:
            etags[call["key"], call["original"]].append(call["etag"])
    again = {key: written for (key, _), written in etags.items() if len(written) > 1}
    differing = [key for key, written in again.items() if len(set(written)) > 1]
    return len(again), [f"{key}: {DIFFERENT}: its thumbnail was written as other bytes" for key in differing]


def strays(before: World, after: World, last: dict[str, Last]) -> Iterator[str]:
    """What the redrive should not have left: letters that are new, or about photos that are not unprocessable,
    and things of photos that nobody has uploaded."""
    known = {letter.id for letters in before.letters.values() for letter in letters}
    for key in {*after.items, *after.thumbnails, *after.letters} - last.keys():
        if not key.startswith(f"{UNHARMED}/"):
            yield f"{key}: nobody has uploaded it, but it is there"
    for key, news in last.items():
        letters = after.letters.get(key, [])
        if letters and not news.is_unprocessable:
            yield f"{key}: {len(letters)} letters stay, but the photo is not unprocessable"
        if any(letter.id not in known for letter in letters):
            yield f"{key}: the redrive has sent another letter"


def explain(
    key: str, letters: list[Letter], calls: list[dict[str, Any]], events: int, is_ever_unprocessable: bool
) -> tuple[Counter[str], list[str]]:
    """Why there are as many letters about a photo as there are: how many for each reason, and what is wrong
    with them. `calls` are those about it, and `events` is how many the function got."""
    wrong = []
    of_lambdas = sum(letter.is_lambdas for letter in letters)
    reasons = Counter({WAITING: of_lambdas})
    if of_lambdas > events:
        wrong.append(f"{key}: {of_lambdas} letters of Lambda's about {events} events")
    if of_lambdas and not any(call["fault"] for call in calls):
        wrong.append(f"{key}: a letter of Lambda's, but no call met a fault")
    own = Counter(letter.sequencer for letter in letters if not letter.is_lambdas)
    if own and not is_ever_unprocessable:
        wrong.append(f"{key}: {own.total()} letters, but nothing unprocessable was uploaded")
    for sequencer in {call["sequencer"] for call in calls if call["operation"] == "SendMessage"}:
        sent = list(sendings(calls, sequencer))
        reasons.update(sent)
        if len(sent) != own[sequencer]:
            wrong.append(f"{key}: {len(sent)} letters about one event sent, {own[sequencer]} there")
        if UNNECESSARY in sent:
            wrong.append(f"{key}: another letter about one event, though the item named the first")
    return reasons, wrong


def sendings(calls: list[dict[str, Any]], sequencer: str) -> Iterator[str]:
    """Why each letter about one event was sent: it is the first; SQS had taken the one before, but its
    answer was lost; or the item that names the one before could not be written."""
    why = FIRST
    for call in calls:
        if call.get("sequencer") != sequencer:
            continue
        has_acted = call["status"] == 200
        if call["operation"] == "SendMessage" and has_acted:
            yield why
            why = UNTOLD if call["fault"] else UNNECESSARY
        elif call.get("writes") == "FAILED" and has_acted:
            why = UNNECESSARY
        elif call.get("writes") == "FAILED" and why == UNNECESSARY and call["status"] is None:
            why = UNWRITTEN
