"""Invokes the function in the local AWS with a sample event, and shows its answer and its log."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

from boto3.s3.transfer import TransferConfig

from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import Clients, exists, stack_outputs
from photos_dev.local_aws.logs import log_lines, own_lines
from photos_dev.local_aws.server import client_environment, endpoint, wait_until
from photos_dev.paths import PHOTO, ROOT
from photos_dev.problem import Problem, exit_with

# The samples name this bucket; the stack's bucket may have another name.
SAMPLES_BUCKET = "photos-originals-000000000000"
EVENT_SECONDS = 60


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("event", type=Path, help="a file such as events/put.json")
    parser.add_argument("--stack", default="photos", metavar="NAME", help="name of the stack (default: photos)")
    arguments = parser.parse_args()

    aws = Clients(endpoint())
    names = stack_outputs(aws, arguments.stack)
    path = about_bucket(arguments.event, names["OriginalsBucketName"])
    for original in created_objects(read_event(path)):
        upload_if_missing(aws, names["PhotosTableName"], **original)
    return invoke(aws, names["ThumbnailFunctionName"], path)


def about_bucket(path: Path, bucket: str) -> Path:
    """The event; for a sample, a copy that names this bucket."""
    text = read(path)
    # Longer names do not match: an event that names the stack's bucket stays as it is.
    own = re.sub(rf"{SAMPLES_BUCKET}(?![a-z0-9.-])", bucket, text)
    if own == text:
        return path
    copy = ROOT / "target/events" / path.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(own)
    return copy


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror}") from error


def read_event(path: Path) -> Any:
    try:
        return json.loads(read(path))
    except ValueError as error:
        raise Problem(f"{path} is not JSON, which an event must be: {error}") from error


def created_objects(event: Any) -> Iterator[dict[str, str]]:
    """The objects that an event says exist, whatever the event is wrapped in."""
    match event:
        case {"eventName": str(name), "s3": {"bucket": {"name": bucket}, "object": found}}:
            if name.startswith("ObjectCreated"):
                yield {"bucket": bucket, "key": unquote_plus(found["key"]), "etag": found["eTag"]}
        case {"detail-type": "Object Created", "detail": {"bucket": {"name": bucket}, "object": found}}:
            yield {"bucket": bucket, "key": found["key"], "etag": found["etag"]}
        case {"s3Key": key}:
            bucket = event.get("s3Bucket") or event["s3BucketArn"].rpartition(":")[2]
            yield {"bucket": bucket, "key": unquote_plus(key), "etag": ""}
        case dict() | list():
            for part in event.values() if isinstance(event, dict) else event:
                yield from created_objects(part)
        case str() if event.startswith("{"):
            yield from created_objects(json.loads(event))


def upload_if_missing(aws: Clients, table: str, bucket: str, key: str, etag: str) -> None:
    """Uploads the photo that a sample event is about, and waits until the bucket's own event about it is
    processed, so that the two events do not mix."""
    if exists(lambda: aws.s3.head_object(Bucket=bucket, Key=key)):
        return
    print(f"upload  s3://{bucket}/{key}")
    in_parts = "-" in etag  # the ETag of a multipart upload ends with the number of parts
    config = TransferConfig(
        multipart_threshold=1 if in_parts else 2**40, multipart_chunksize=2**26, use_threads=False
    )
    aws.s3.upload_file(str(PHOTO), bucket, key, Config=config)
    item = {"TableName": table, "Key": {"photoKey": {"S": key}}, "ConsistentRead": True}
    wait_until(lambda: "Item" in aws.dynamodb.get_item(**item), EVENT_SECONDS)


def invoke(aws: Clients, function: str, event: Path) -> int:
    command = ["cargo", "lambda", "invoke", "--remote", "--data-file", str(event), function]
    print(" ".join(command), flush=True)
    started_at = datetime.now(timezone.utc)
    code = subprocess.run(command, env=client_environment(aws.endpoint)).returncode
    for line in own_lines(finished_log(aws, function, started_at)):
        print(f"log     {line}")
    return code


def finished_log(aws: Clients, function: str, since: datetime) -> list[str]:
    """The log of an invocation, which arrives a little later than its answer."""
    for _ in range(20):
        lines = log_lines(aws, function, since)
        if any(line.startswith("REPORT ") for line in lines):
            return lines
        time.sleep(0.1)
    return lines


if __name__ == "__main__":
    exit_with(on_local_aws(main))
