"""The model beside the real function in the local AWS: `python -m photos_dev.scale check`.

The local AWS delivers an event at once, answers in milliseconds, and its functions share the machine's cores, with
each other and with it. So the model gets no notification delay, the waits that the function's own log tells, and so
many cores. What it does not know is the time that the local AWS itself takes to deliver an event. It runs in a local
AWS of its own:

    .venv/bin/python -m photos_dev.local_aws with -- .venv/bin/python -m photos_dev.scale check
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from photos_dev.local_aws.deploy import Clients, deploy
from photos_dev.local_aws.logs import log_lines, parse_object
from photos_dev.local_aws.server import endpoint
from photos_dev.paths import FUNCTIONS, PHOTO
from photos_dev.problem import Problem
from photos_dev.scale.simulation import Load, Setup, simulate
from photos_dev.scale.work import Times

WARM_UP = 4  # photos, all at once
PATIENCE_S = 30
STEPS = ("fetch", "inspect", "render", "store", "commit")


@dataclass(frozen=True)
class Measured:
    """From S3's answer to the upload until READY, in ms, and the function's steps on average."""

    p50_ms: float
    p99_ms: float
    steps: dict[str, float]


def run(rates: Iterable[float], photos: int, cpu_ms: float) -> int:
    """Measures each rate with the local AWS, and prints the model's figures beside it."""
    cores = os.cpu_count() or 1
    aws = Clients(endpoint())
    outputs = deploy(aws.endpoint, "scale", FUNCTIONS, {}, {})
    Uploads(aws, outputs, "warm-up").upload(WARM_UP, 0)
    print(f"{photos} photos of each rate; {cores} cores, which the function, the local AWS and the uploads share")
    print(f"{'photos/s':9}{'ms':24}{'p50':>6}{'p99':>6}")
    for rate in rates:
        found = measured(Uploads(aws, outputs, f"rate-{rate:g}"), rate, photos)
        steps = found.steps
        own_ms = steps["inspect"] + steps["render"]
        print(f"{rate:<9g}{'measured':24}{found.p50_ms:6.0f}{found.p99_ms:6.0f}   {shown(steps)}")
        for name, cpu in ((f"model, CPU {cpu_ms:.0f}", cpu_ms), (f"model, CPU {own_ms:.0f} as here", own_ms)):
            times = Times(steps["fetch"], cpu, steps["store"], steps["commit"], cores=cores)
            result = simulate(Setup(notification_s=0, times=times), Load(photos, photos / rate))
            print(f"{'':9}{name:24}{1000 * result.p50_s:6.0f}{1000 * result.p99_s:6.0f}")
    return 0


def shown(steps: dict[str, float]) -> str:
    return "  ".join(f"{name} {ms:.0f}" for name, ms in steps.items())


class Uploads:
    """Photos that are put into a folder of the bucket of originals."""

    def __init__(self, aws: Clients, outputs: dict[str, str], folder: str) -> None:
        self._aws, self._outputs, self._folder = aws, outputs, folder
        self._s3 = aws.s3  # made here, as threads must not make it at the same time
        self._body = PHOTO.read_bytes()

    def upload(self, count: int, spacing_s: float) -> list[tuple[str, datetime]]:
        """Puts the photos so far apart, and waits until each is READY. Their keys, and when S3 had them."""
        with ThreadPoolExecutor(max_workers=8) as pool:
            began = time.monotonic()
            puts = []
            for number in range(count):
                time.sleep(max(0.0, began + number * spacing_s - time.monotonic()))
                puts.append(pool.submit(self._put, f"{self._folder}/{number}.jpg"))
            done = [put.result() for put in puts]
        for key, _ in done:
            self.item(key)
        return done

    def item(self, key: str) -> dict[str, Any]:
        """The item of the photo, as soon as it is READY."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = self._aws.dynamodb.get_item(
                TableName=self._outputs["PhotosTableName"], Key={"photoKey": {"S": key}}, ConsistentRead=True
            ).get("Item", {})
            if found.get("status", {}).get("S") == "READY":
                return found
            time.sleep(0.2)
        raise Problem(f"{key} is not READY after {PATIENCE_S} s")

    def lines(self, since: datetime) -> list[dict[str, Any]]:
        """The function's log lines about these photos."""
        lines = map(parse_object, log_lines(self._aws, self._outputs["ThumbnailFunctionName"], since))
        return [line for line in lines if str(line.get("key", "")).startswith(f"{self._folder}/")]

    def _put(self, key: str) -> tuple[str, datetime]:
        self._s3.put_object(Bucket=self._outputs["OriginalsBucketName"], Key=key, Body=self._body)
        return key, datetime.now(timezone.utc)


def measured(uploads: Uploads, rate: float, photos: int) -> Measured:
    began = datetime.now(timezone.utc)
    waited = sorted(
        (instant(uploads.item(key)["processedAt"]["S"]) - put_at).total_seconds() * 1000
        for key, put_at in uploads.upload(photos, 1 / rate)
    )
    lines = uploads.lines(began)
    if not lines:
        raise Problem("the function logged no steps")
    steps = {name: statistics.mean(line[f"{name}Ms"] for line in lines) for name in STEPS}
    return Measured(statistics.median(waited), waited[min(len(waited) - 1, int(0.99 * len(waited)))], steps)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
