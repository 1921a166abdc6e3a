#!/usr/bin/env python3
"""Reckons what a million photos cost in AWS, by the memory size of the function: `make cost`.

The CPU time is measured here, of the release build, with S3 and DynamoDB by TLS on the wire of the same
machine. Lambda gives CPU in proportion to memory, one whole vCPU at 1769 MB (AWS Lambda Developer Guide,
"Configure Lambda function memory"), and a photo is work for one thread: below that it takes as much
longer. What it waits for S3 and DynamoDB is billed at every size, and taken from AWS's documentation,
as it cannot be measured here. What is not measured but derived is marked so.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent.parent / "local"))
import measure
from aws import endpoint
from cli import exit_with
from deploy import Clients
from machine import processor
from measure import PHOTO, PHOTOS, STARTS

import prices
from prices import MILLION, VCPU_MB

MEMORY_SIZES = (256, 512, 768, 1024, 1280, 1536, VCPU_MB, 2048, 3008)
GB_SECOND = {"x86_64": prices.LAMBDA_GB_SECOND, "arm64": prices.LAMBDA_ARM64_GB_SECOND}

# "roughly 100-200 milliseconds" to the first byte, and 85-90 MB/s of one connection: Amazon S3 User
# Guide, "Performance design patterns" and "Performance guidelines".
S3_WAIT_MS = 100
S3_BYTES_PER_MS = 85_000
# "single-digit millisecond": Amazon DynamoDB Developer Guide, "What is Amazon DynamoDB?".
DYNAMODB_WAIT_MS = 9
# GetObject, PutObject, and HeadObject after the commit; UpdateItem.
S3_CALLS = 3
DYNAMODB_CALLS = 1


@dataclass
class Photo:
    """What one photo takes, at one vCPU."""

    cpu_ms: float
    wait_ms: float

    def duration_ms(self, memory_mb: int) -> float:
        return self.cpu_ms / min(1, memory_mb / VCPU_MB) + self.wait_ms

    def dollars(self, memory_mb: int, architecture: str) -> float:
        """For a million: Lambda bills whole milliseconds."""
        seconds = math.ceil(self.duration_ms(memory_mb)) / 1000
        return MILLION * memory_mb / 1024 * seconds * GB_SECOND[architecture] + prices.LAMBDA_MILLION_REQUESTS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path, help="the release builds, as `make release` zips them")
    parser.add_argument("--s3-ms", type=float, default=S3_WAIT_MS, help=f"a call of S3 waits (default: {S3_WAIT_MS})")
    parser.add_argument("--peers", type=Path, required=True, help="what lambdas.py prints of other functions")
    options = parser.parse_args()
    aws = Clients(endpoint())
    wait_ms = waiting_ms(options.s3_ms)
    with measure.deployed(aws, "cost", options.packages) as (functions, outputs):
        cpu_ms, item, line = this_function(aws, outputs, functions / "thumbnail/bootstrap")
    print(f"derived    {wait_ms:.0f} ms of waiting for S3 and DynamoDB a photo\n")
    print_sizes(Photo(cpu_ms, wait_ms))
    print_peers(json.loads(options.peers.read_text()), wait_ms)
    print_rest(item, line)
    return 0


def waiting_ms(s3_ms: float) -> float:
    return S3_CALLS * s3_ms + DYNAMODB_CALLS * DYNAMODB_WAIT_MS + PHOTO.stat().st_size / S3_BYTES_PER_MS


def this_function(
    aws: Clients, outputs: dict[str, str], bootstrap: Path
) -> tuple[float, dict[str, Any], int]:
    """CPU ms of a photo; its item, and the bytes of its log line."""
    environment = measure.silent_environment(aws, outputs)
    records = measure.upload_photos(aws, outputs["OriginalsBucketName"])
    start = measure.cold_start(bootstrap, environment)
    with tempfile.TemporaryFile() as log:
        cpu, peak_mb = measure.cost(bootstrap, environment, measure.notifications(records, 1), log)
        line_bytes = log.seek(0, 2) // PHOTOS
    print(f"{PHOTO.name}, {processor()}")
    print(
        f"measured   {cpu / PHOTOS:.0f} ms CPU a photo (mean of {PHOTOS}), {peak_mb:.0f} MB at its peak; "
        f"a cold start {start.cpu_ms:.0f} ms CPU (median of {STARTS})"
    )
    return cpu / PHOTOS, item_of(aws, outputs, records[0]), line_bytes


def print_sizes(photo: Photo) -> None:
    """The lowest product of price and duration is where a little more of one buys the most of the other."""
    balanced = min(MEMORY_SIZES, key=lambda size: photo.dollars(size, "x86_64") * photo.duration_ms(size))
    print("memory     billed   $ per million photos")
    print("    MB         ms   x86_64   arm64 (derived: as fast)")
    for size in MEMORY_SIZES:
        remarks = ["one vCPU: as fast as it gets; the template's default"] * (size == VCPU_MB)
        remarks += ["lowest price times duration"] * (size == balanced)
        print(
            f"{size:6} {photo.duration_ms(size):10.0f} {photo.dollars(size, 'x86_64'):8.2f} "
            f"{photo.dollars(size, 'arm64'):7.2f}   {', '.join(remarks)}".rstrip()
        )


def print_peers(peers: dict[str, Any], wait_ms: float) -> None:
    """The same photos by functions in other languages, of the memory of one vCPU."""
    print(f"\nthe same at {VCPU_MB} MB by")
    for peer in peers.values():
        photo = Photo(peer["cpu_ms"], wait_ms)
        print(
            f"{peer['title']:10} {photo.duration_ms(VCPU_MB):6.0f} {photo.dollars(VCPU_MB, 'x86_64'):8.2f} "
            f"{photo.dollars(VCPU_MB, 'arm64'):7.2f}   {peer['cpu_ms']:.0f} ms CPU and {peer['batch']['largest_mb']:.0f} MB, "
            f"a cold start {peer['cold_start']['cpu_ms']:.0f} ms CPU ({peer['versions']})"
        )


def print_rest(item: dict[str, Any], line_bytes: int) -> None:
    """What else a million photos cost, whatever the memory size."""
    item_units = write_units(item)
    index_units = write_units({name: value for name, value in item.items() if name != "exif"})
    put, get = prices.S3_THOUSAND_PUTS / 1000, prices.S3_THOUSAND_GETS / 1000
    unit = prices.DYNAMODB_MILLION_WRITE_UNITS / MILLION
    print("\nand at every size, $ per million photos")
    for what, dollars in (
        ("S3, the client's PUT", put),
        ("S3, the function's GET, PUT and HEAD", get + put + get),
        (f"DynamoDB, {item_units} write units and {index_units} of the index", (item_units + index_units) * unit),
        (f"CloudWatch Logs, {line_bytes} bytes", line_bytes / 1e9 * prices.LOG_GB),
    ):
        print(f"{what:46} {MILLION * dollars:6.2f}")


def item_of(aws: Clients, outputs: dict[str, str], record: dict[str, Any]) -> dict[str, Any]:
    key = {"photoKey": {"S": record["s3"]["object"]["key"]}}
    return aws.dynamodb.get_item(TableName=outputs["PhotosTableName"], Key=key)["Item"]


def write_units(item: dict[str, Any]) -> int:
    """A unit writes up to 1 KB (Amazon DynamoDB Developer Guide, "DynamoDB read and write operations")."""
    return math.ceil(sum(len(name) + size(value) for name, value in item.items()) / 1024)


def size(attribute: dict[str, Any]) -> int:
    """Bytes of an attribute (Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats")."""
    match attribute:
        case {"S": str(text)}:
            return len(text.encode())
        case {"N": str(number)}:
            return len(number.strip("-0.").replace(".", "")) // 2 + 1
        case {"M": dict(entries)}:
            return 3 + sum(1 + len(name) + size(value) for name, value in entries.items())
        case _:  # BOOL
            return 1


if __name__ == "__main__":
    exit_with(main)
