"""Loads the function for minutes, and with many photos at once: `make soak`. It tests these promises:

- two processes handle an hour's photos within minutes, and the last hundred photos take the memory, descriptors and
  CPU time of the first hundred
- a burst of many small photos, as S3 and Lambda deliver it, is processed without loss
- a function of 512 MB can process an event of 24 photos
- 20 processes can start at the same time, each with a photo

With `WAITS=1` the function works behind a proxy that makes each call wait as AWS's guide says. The hour's photos then
come in events of 24, whose photos overlap. A broken promise is an error.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from photos_dev.arguments import whole
from photos_dev.benches import measure
from photos_dev.benches.install import say
from photos_dev.benches.latency import DELAYS, slow_aws
from photos_dev.benches.load import photos
from photos_dev.benches.load.waits import GUIDE
from photos_dev.benches.processes import Watch, functions
from photos_dev.jpeg import commented
from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import Clients, deploy, through
from photos_dev.local_aws.server import endpoint
from photos_dev.paths import FUNCTIONS, ROOT
from photos_dev.problem import Problem, exit_with

BOOTSTRAP = FUNCTIONS / "thumbnail/bootstrap"
SMALL_PHOTO = ROOT / "photo/tests/golden/photos/jpeg-orientation-6.jpg"
# A batch of 24 every 36 seconds, for an hour.
PHOTOS = 2400
# Ten events of 24 for each of two processes.
LEAST = 480
LONGEST_SECONDS = 600
HUNDRED = 100
AT_ONCE = 2
# Allowed growth from the median of the earlier samples to that of the last. Times vary more on a shared machine.
MEMORY_DRIFT = 0.05
TIME_DRIFT = 0.15
# The most that a process may take for events of 24 photos: one that worked on 3,000 of them took 135 MB.
OVERLAPPING_MB = 150

BURST = 1000
UPLOADS_AT_ONCE = 8
BURST_SECONDS = 240
STARTS = 20
SMALL_MEMORY_MB = 512


@dataclass(frozen=True)
class Finding:
    promise: str
    found: str
    holds: bool


@dataclass(frozen=True)
class Sample:
    """Memory and descriptors of a process after an event, and the time that a photo of it took."""

    memory_mb: float
    peak_mb: float
    descriptors: int
    cpu_ms: float
    wall_ms: float


@dataclass(frozen=True)
class Compared:
    """The samples of a process that are compared."""

    earlier: slice
    last: slice
    name: str


HUNDREDS = Compared(slice(HUNDRED), slice(-HUNDRED, None), "first to last hundred")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=whole(LEAST), default=PHOTOS, help=f"number of photos (default: {PHOTOS})")
    parser.add_argument("--waits", action="store_true", help="make each call wait as AWS's guide says")
    options = parser.parse_args()
    aws = Clients(endpoint())
    with ExitStack() as stack:
        slow = stack.enter_context(slow_aws(aws.endpoint, DELAYS[GUIDE.title])) if options.waits else None
        return report(findings(aws, slow, options.photos))


def findings(aws: Clients, slow: str | None, count: int) -> list[Finding]:
    """Loads the function, which calls AWS through the `slow` endpoint if there is one."""
    outputs = deploy(aws.endpoint, "soak", FUNCTIONS, {}, through(slow) if slow else {})
    in_burst = burst(aws, outputs)
    environment = measure.silent_environment(aws, outputs)
    records = measure.upload_photos(aws, outputs["OriginalsBucketName"])
    ready = partial(ready_photos, aws, outputs["PhotosTableName"])
    return [
        in_burst,
        event_in_small_function(environment, records, ready),
        starts_at_once(environment, records, ready),
        *soak(environment, records, count, measure.BATCH if slow else 1),
    ]


def report(findings: list[Finding]) -> int:
    print()
    for finding in findings:
        print(f"{'holds ' if finding.holds else 'BROKEN'}  {finding.promise:44} {finding.found}")
    broken = sum(not finding.holds for finding in findings)
    if broken:
        raise Problem(f"{broken} of {len(findings)} promises are broken, see BROKEN above")
    return 0


# ---- for minutes ----


def soak(environment: dict[str, str], records: list[dict[str, Any]], count: int, size: int) -> list[Finding]:
    """Sends events of `size` photos to some processes, `count` photos together."""
    began = time.monotonic()
    shares = [records[number::AT_ONCE] for number in range(AT_ONCE)]
    events = count // AT_ONCE // size
    with ThreadPoolExecutor(AT_ONCE) as pool:
        samples = list(pool.map(partial(work_on, environment, events, size), shares, range(AT_ONCE)))
    seconds = time.monotonic() - began
    worked = size * sum(map(len, samples))
    found = f"{worked} photos in {seconds:.0f} s, {worked / seconds:.1f} a second, by {AT_ONCE} processes"
    found += f", in events of {size}" if size > 1 else ""
    compared = HUNDREDS if size == 1 else halves(events)
    memory = steady("memory", "MB", samples, compared, lambda sample: sample.memory_mb, MEMORY_DRIFT)
    return [
        Finding("an hour's worth of photos", found, worked == AT_ONCE * events * size),
        memory if size == 1 else overlapping_memory(samples),
        steady("descriptors", "", samples, compared, lambda sample: sample.descriptors, 0),
        steady("CPU time of a photo", "ms", samples, compared, lambda sample: sample.cpu_ms, TIME_DRIFT),
        steady("wall time of a photo", "ms", samples, compared, lambda sample: sample.wall_ms, TIME_DRIFT),
    ]


def halves(events: int) -> Compared:
    return Compared(slice(events // 2), slice(events // 2, None), "first to last half")


def overlapping_memory(samples: list[list[Sample]]) -> Finding:
    """The peaks. After an event of 24 photos a process has 61 to 127 MB, by the moment: glibc gives back only what is
    free at the end of the heap."""
    peaks = [of_one[-1].peak_mb for of_one in samples]
    found = ", ".join(f"{peak:.0f} MB" for peak in peaks)
    return Finding("peak memory", f"{found} (at most {OVERLAPPING_MB} MB)", max(peaks) <= OVERLAPPING_MB)


def work_on(
    environment: dict[str, str], events: int, size: int, records: list[dict[str, Any]], number: int
) -> list[Sample]:
    """Sends one process one event after another. Only the first process prints its progress."""
    samples: list[Sample] = []
    deadline = time.monotonic() + LONGEST_SECONDS
    with measure.running(BOOTSTRAP, environment) as function:
        function.wait_until_idle()
        for event in endless(records, size):
            if len(samples) == events or time.monotonic() > deadline:
                break
            samples.append(sample(function, event, len(samples)))
            if number == 0 and len(samples) % max(HUNDRED // size, 1) == 0:
                memory = samples[-1].memory_mb
                worked = f"{len(samples) * size} of {events * size} photos"
                say(f"soak: {worked} in each of {AT_ONCE} processes, {memory:.0f} MB")
    return samples


def sample(function: measure.Function, event: Any, number: int) -> Sample:
    photos = len(event["Records"])
    cpu, wall = function.cpu_ms(), time.monotonic()
    function.handle(event, number)
    usage = function.usage()
    return Sample(
        memory_mb=usage.memory,
        peak_mb=usage.peak,
        descriptors=len(os.listdir(f"/proc/{function.process.pid}/fd")),
        cpu_ms=(function.cpu_ms() - cpu) / photos,
        wall_ms=(time.monotonic() - wall) * 1000 / photos,
    )


def endless(records: list[dict[str, Any]], size: int) -> Iterator[Any]:
    while True:
        yield from measure.notifications(records, size)


def steady(
    what: str,
    unit: str,
    samples: list[list[Sample]],
    compared: Compared,
    value: Callable[[Sample], float],
    limit: float,
) -> Finding:
    """Compares the medians of earlier and of the last samples of each process."""
    pairs = [
        (statistics.median(map(value, of_one[compared.earlier])), statistics.median(map(value, of_one[compared.last])))
        for of_one in samples
    ]
    drift = max(last / first - 1 for first, last in pairs)
    found = ", ".join(f"{first:.1f} → {last:.1f} {unit}".strip() for first, last in pairs)
    return Finding(f"{what}, {compared.name}", f"{found} ({drift:+.1%}, at most {limit:+.0%})", drift <= limit)


# ---- many photos at once ----


def burst(aws: Clients, outputs: dict[str, str]) -> Finding:
    photo = SMALL_PHOTO.read_bytes()
    name, bucket = outputs["ThumbnailFunctionName"], outputs["OriginalsBucketName"]
    keys = {f"burst/{number:04}.jpg" for number in range(BURST)}
    say(f"burst: {BURST} small photos")
    with Watch(lambda: functions(name, aws.endpoint)) as watch:
        began = time.monotonic()
        with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            puts = pool.map(lambda key: aws.s3.put_object(Bucket=bucket, Key=key, Body=commented(photo, key.encode())), sorted(keys))
            list(puts)
        uploaded = time.monotonic() - began
        ready = wait_for(aws, outputs["PhotosTableName"], keys, began + BURST_SECONDS)
        seconds = time.monotonic() - began
    pages = aws.s3.get_paginator("list_objects_v2").paginate(Bucket=outputs["ThumbnailsBucketName"])
    thumbnails = {entry["Key"].removeprefix("thumbnail/") for page in pages for entry in page.get("Contents", [])}
    dead_letters = aws.sqs.get_queue_attributes(
        QueueUrl=outputs["DeadLetterQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]["ApproximateNumberOfMessages"]
    found = (
        f"{len(ready)} READY, {len(thumbnails & keys)} thumbnails, {dead_letters} dead letters; uploaded in {uploaded:.0f} s, "
        f"done after {seconds:.0f} s; {watch.processes} processes, {watch.together_mb:.0f} MB together"
    )
    return Finding(f"{BURST} small photos in one burst", found, keys == ready == thumbnails and dead_letters == "0")


def wait_for(aws: Clients, table: str, keys: set[str], deadline: float) -> set[str]:
    """Keys of the photos that are READY, as soon as all are or the time is over."""
    ready: set[str] = set()
    while ready != keys and time.monotonic() < deadline:
        time.sleep(1)
        ready = photos.ready_keys(aws, table)
    return ready


def event_in_small_function(
    environment: dict[str, str], records: list[dict[str, Any]], ready: Callable[[Any], int]
) -> Finding:
    small_environment = environment | {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(SMALL_MEMORY_MB)}
    event = next(measure.notifications(records, measure.BATCH))
    with measure.running(BOOTSTRAP, small_environment) as function:
        function.wait_until_idle()
        function.handle(event, 0)
        peak = function.peak_mb()
    done = ready(event)
    found = f"{done} READY, {peak:.0f} MB peak"
    promise = f"an event of {measure.BATCH} photos in {SMALL_MEMORY_MB} MB"
    return Finding(promise, found, done == measure.BATCH and peak < SMALL_MEMORY_MB)


def starts_at_once(
    environment: dict[str, str], records: list[dict[str, Any]], ready: Callable[[Any], int]
) -> Finding:
    say(f"{STARTS} cold starts at the same time")
    events = list(measure.notifications(records[:STARTS], 1))
    with ExitStack() as stack:
        began = time.monotonic()
        processes = [stack.enter_context(measure.running(BOOTSTRAP, environment)) for _ in range(STARTS)]

        def first_photo(number: int) -> float:
            processes[number].wait_until_idle()
            started = time.monotonic() - began
            processes[number].handle(events[number], number)
            return started * 1000

        with ThreadPoolExecutor(STARTS) as pool:
            starts = list(pool.map(first_photo, range(STARTS)))
        seconds = time.monotonic() - began
        memory = sum(process.peak_mb() for process in processes)
    done = sum(map(ready, events))
    found = (
        f"{done} READY; started within {max(starts):.0f} ms (median {statistics.median(starts):.0f}), "
        f"all done after {seconds:.1f} s, {memory:.0f} MB together"
    )
    return Finding(f"{STARTS} cold starts at the same time", found, done == STARTS)


def ready_photos(aws: Clients, table: str, event: Any) -> int:
    """Number of photos of an event whose items are READY by this very event."""
    objects = [record["s3"]["object"] for record in event["Records"]]
    keys = [{"photoKey": {"S": entry["key"]}} for entry in objects]
    items = [aws.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"] for key in keys]
    return sum(
        item["status"]["S"] == "READY" and item["sequencer"]["S"] == entry["sequencer"]
        for item, entry in zip(items, objects)
    )


if __name__ == "__main__":
    exit_with(on_local_aws(main))
