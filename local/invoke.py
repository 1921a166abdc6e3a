#!/usr/bin/env python3
"""Invokes the function in the local AWS with a sample event, and shows its log and its answer."""

from __future__ import annotations

import argparse
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

from boto3.s3.transfer import TransferConfig

from aws import ROOT, endpoint
from cli import Problem, exit_with
from deploy import Clients, exists, stack_outputs

PHOTO = ROOT / "tests/photos/ref-5323x8000.jpg"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("event", type=Path, help="for example events/put.json")
    parser.add_argument("--stack", default="photos", metavar="NAME", help="default: photos")
    arguments = parser.parse_args()

    aws = Clients(endpoint())
    function = stack_outputs(aws, arguments.stack)["ThumbnailFunctionName"]
    event = read_event(arguments.event)
    for original in created_objects(event):
        upload_if_missing(aws, **original)
    return invoke(aws, function, event)


def read_event(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise Problem(f"{path} is not JSON: {error}") from error


def created_objects(event: Any) -> Iterator[dict[str, str]]:
    """The objects that an S3 notification tells of, if it is one."""
    for record in event.get("Records", []) if isinstance(event, dict) else []:
        if record.get("eventName", "").startswith("ObjectCreated"):
            yield {
                "bucket": record["s3"]["bucket"]["name"],
                "key": unquote_plus(record["s3"]["object"]["key"]),
                "etag": record["s3"]["object"]["eTag"],
            }


def upload_if_missing(aws: Clients, bucket: str, key: str, etag: str) -> None:
    """Puts the photo that the sample events are about where they say that it is."""
    if exists(lambda: aws.s3.head_object(Bucket=bucket, Key=key)):
        return
    print(f"upload  s3://{bucket}/{key}")
    in_parts = "-" in etag  # the ETag of an upload in parts ends with their number
    config = TransferConfig(
        multipart_threshold=1 if in_parts else 2**40, multipart_chunksize=2**26, use_threads=False
    )
    aws.s3.upload_file(str(PHOTO), bucket, key, Config=config)


def invoke(aws: Clients, function: str, event: Any) -> int:
    print(f"invoke  {function}")
    answer = aws.lambda_.invoke(
        FunctionName=function, Payload=json.dumps(event).encode(), LogType="Tail"
    )
    for line in base64.b64decode(answer.get("LogResult", "")).decode(errors="replace").splitlines():
        print(f"log     {line}")
    print(f"answer  {answer['Payload'].read().decode()}")
    return 1 if answer.get("FunctionError") else 0


if __name__ == "__main__":
    exit_with(main)
