"""Uploads a photo to the local AWS, and shows its thumbnail and its item."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

from boto3.dynamodb.types import TypeDeserializer

from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import Clients, stack_outputs
from photos_dev.local_aws.logs import log_lines, own_lines, parse_object
from photos_dev.local_aws.server import endpoint
from photos_dev.paths import PHOTO, ROOT
from photos_dev.problem import Problem, exit_with

ALBUM = "tokyo trip"
OUT = ROOT / "out"
TIMEOUT_SECONDS = 60
LOOKS_A_SECOND = 10
LOG_LINES = 10

STYLED = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", nargs="?", type=Path, default=PHOTO, help=f"a photo (default: {PHOTO.name})")
    parser.add_argument("--stack", default="photos", metavar="NAME", help="name of the stack (default: photos)")
    arguments = parser.parse_args()
    return run(arguments.photo, arguments.stack)


def run(photo: Path, stack: str) -> int:
    aws = Clients(endpoint())
    names = stack_outputs(aws, stack)
    key = f"{ALBUM}/{photo.name}"
    uploaded_at = datetime.now(timezone.utc)

    etag = upload(aws, names["OriginalsBucketName"], key, photo)
    item = wait_for_item(aws, names, key, etag, uploaded_at)
    line = log_line(aws, names["ThumbnailFunctionName"], key, uploaded_at)

    if item["status"] == "READY":
        show_ready(aws, photo, item)
    else:
        dead_letter_id = item["failure"].get("deadLetterId")
        show_failed(item, dead_letter(aws, names["DeadLetterQueueUrl"], key, dead_letter_id))
    show_work(item, line)
    show_item(names["PhotosTableName"], item)
    return 0


def upload(aws: Clients, bucket: str, key: str, photo: Path) -> str:
    """Uploads the photo as the platform's users would, and returns its ETag."""
    try:
        body = photo.read_bytes()
    except OSError as error:
        raise Problem(f"cannot read {photo}: {error.strerror}") from error
    print(f"{bold('upload')}  {photo}\n     to s3://{bucket}/{key}")
    return aws.s3.put_object(Bucket=bucket, Key=key, Body=body)["ETag"].strip('"')


def wait_for_item(
    aws: Clients, names: dict[str, str], key: str, etag: str, uploaded_at: datetime
) -> dict[str, Any]:
    """The photo's item, once it comes from this upload and not from an earlier one."""
    function = names["ThumbnailFunctionName"]
    for look, _ in enumerate(progress(f"waiting for the photo's item in {names['PhotosTableName']}")):
        answer = aws.dynamodb.get_item(
            TableName=names["PhotosTableName"], Key={"photoKey": {"S": key}}, ConsistentRead=True
        )
        item = plain(answer.get("Item", {}))
        if (
            item.get("status") in ("READY", "FAILED")
            and item["original"].get("etag") == etag
            and instant(item["processedAt"]) >= uploaded_at.replace(microsecond=0)
        ):
            return item
        if look % LOOKS_A_SECOND == LOOKS_A_SECOND - 1:
            line = photo_line(aws, function, key, uploaded_at)
            if line.get("outcome") == "ignored":
                raise Problem(f"the function ignored {key}: {line['errorType']}: {line['reason']}")
    raise Problem(
        f"no item of {key} after {TIMEOUT_SECONDS} s\n"
        + explain_silence(aws, names, key, uploaded_at)
    )


def progress(what: str) -> Iterator[None]:
    """Yields at each look until the timeout, and shows the time that has passed."""
    started = time.monotonic()
    next_line = 5.0
    if not STYLED:
        print(f"{what} ...", flush=True)
    try:
        while (elapsed := time.monotonic() - started) < TIMEOUT_SECONDS:
            if STYLED:
                print(f"\r{dim(f'{what} ... {elapsed:.1f} s')}", end="", flush=True)
            elif elapsed >= next_line:
                print(f"{what} ... {elapsed:.0f} s", flush=True)
                next_line += 5
            yield
            time.sleep(1 / LOOKS_A_SECOND)
    finally:
        if STYLED:
            print("\r\033[K", end="", flush=True)


def explain_silence(aws: Clients, names: dict[str, str], key: str, since: datetime) -> str:
    """Log lines and dead letter of an invocation that left no item."""
    function = names["ThumbnailFunctionName"]
    lines = own_lines(log_lines(aws, function, since))
    parts = [f"the last log lines of {function}:"]
    parts += [f"  {line}" for line in lines[-LOG_LINES:] or ["(none)"]]
    found = dead_letter(aws, names["DeadLetterQueueUrl"], key)
    if found:
        error = found.get("responsePayload", {})
        parts += [
            "the dead letter:",
            f"  {error.get('errorType')}: {error.get('errorMessage')}",
        ]
    return "\n".join(parts)


def log_line(aws: Clients, function: str, key: str, since: datetime) -> dict[str, Any]:
    """The function's log line about the photo, empty if it does not arrive.

    It may arrive a little later than the item: Lambda delivers logs when an invocation has ended.
    """
    for _ in range(20):
        if line := photo_line(aws, function, key, since):
            return line
        time.sleep(1 / LOOKS_A_SECOND)
    return {}


def photo_line(aws: Clients, function: str, key: str, since: datetime) -> dict[str, Any]:
    """The last line about the photo that is there by now, empty if there is none."""
    lines = map(parse_object, reversed(log_lines(aws, function, since)))
    return next((line for line in lines if line.get("message") == "photo" and line.get("key") == key), {})


def dead_letter(
    aws: Clients, queue: str, key: str, dead_letter_id: str | None = None
) -> dict[str, Any] | None:
    """The photo's dead letter, which stays in the queue."""
    messages = aws.sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=10
    ).get("Messages", [])
    for message in messages:
        aws.sqs.change_message_visibility(
            QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    bodies = {message["MessageId"]: parse_object(message["Body"]) for message in messages}
    if dead_letter_id in bodies:
        return bodies[dead_letter_id]
    return next((body for body in bodies.values() if key in photo_keys(body)), None)


def photo_keys(dead_letter: dict[str, Any]) -> list[str]:
    """The photos that a dead letter is about, whether the function or Lambda sent it."""
    records = dead_letter.get("requestPayload", {}).get("Records", [])
    return [unquote_plus(record["s3"]["object"]["key"]) for record in records]


def show_ready(aws: Clients, photo: Path, item: dict[str, Any]) -> None:
    thumbnail = item["renditions"]["thumbnail"]
    path = OUT / photo.with_suffix(".jpg").name
    OUT.mkdir(exist_ok=True)
    path.write_bytes(
        aws.s3.get_object(Bucket=thumbnail["bucket"], Key=thumbnail["key"])["Body"].read()
    )
    show(
        ("original", f"{pixels(item['original'])}  {size(item['original']['bytes'])}"),
        ("thumbnail", f"{pixels(thumbnail)}  {size(path.stat().st_size)}"),
        ("", f"s3://{thumbnail['bucket']}/{thumbnail['key']}"),
        ("", bold(str(path.relative_to(ROOT)))),
    )


def show_failed(item: dict[str, Any], dead_letter: dict[str, Any] | None) -> None:
    failure, original = item["failure"], item["original"]
    show(
        ("original", "  ".join(filter(None, [pixels(original), size(original.get("bytes"))]))),
        ("failed", bold(failure["type"])),
        ("", failure["message"]),
    )
    print(f"\n{bold('dead letter')} {failure.get('deadLetterId', '')}")
    print(json.dumps(dead_letter, indent=2, ensure_ascii=False) if dead_letter else "  not in the queue")


def show_work(item: dict[str, Any], line: dict[str, Any]) -> None:
    """The time from upload to item, and the function's figures: each step, and its peak memory."""
    took = instant(item["processedAt"]) - instant(item["original"]["uploadedAt"])
    steps = [
        f"{name.removesuffix('Ms')} {value:.{0 if value >= 10 else 1}f} ms"
        for name, value in line.items()
        if name.endswith("Ms") and name != "durationMs" and isinstance(value, (int, float))
    ]
    memory = line.get("peakMemoryMb")
    show(
        ("done", f"{took.total_seconds():.2f} s after the upload"),
        ("steps", "  ".join(steps) or "the function logged no steps"),
        ("memory", f"{memory:.0f} MB peak" if memory is not None else "not logged"),
    )


def show_item(table: str, item: dict[str, Any]) -> None:
    print(f"\n{bold('item')} in {table}")
    # DynamoDB keeps no order: the key comes first, the long raw EXIF last.
    order = ["photoKey", "album", "status", *sorted(item.keys() - {"exif"}), "exif"]
    ordered = {name: item[name] for name in order if name in item}
    print(json.dumps(ordered, indent=2, ensure_ascii=False))


def show(*rows: tuple[str, str]) -> None:
    for label, text in rows:
        print(f"{bold(label.ljust(10))} {text}")


def pixels(facts: dict[str, Any]) -> str:
    return f"{facts['width']} x {facts['height']} pixels" if "width" in facts else ""


def size(count: int | None) -> str:
    return f"{count:,} bytes" if count is not None else ""


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """An item as plain JSON values, instead of DynamoDB's {"S": ...}."""
    deserializer = TypeDeserializer()
    return {name: simplify(deserializer.deserialize(value)) for name, value in item.items()}


def simplify(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: simplify(value[name]) for name in sorted(value)}
    if isinstance(value, (list, set)):
        return [simplify(inner) for inner in value]
    return value


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def bold(text: str) -> str:
    return f"\033[1m{text}\033[0m" if STYLED else text


def dim(text: str) -> str:
    return f"\033[2m{text}\033[0m" if STYLED else text


if __name__ == "__main__":
    exit_with(on_local_aws(main))
