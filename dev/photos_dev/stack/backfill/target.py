"""What a backfill is about: a stack's function and its originals below a prefix."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from photos_dev.problem import Problem
from photos_dev.stack.backfill.progress import Bar
from photos_dev.stack.outputs import stack_outputs

# Lambda's longest timeout: an answer may take that long.
LONGEST_INVOCATION_SECONDS = 900


@dataclass(frozen=True)
class Object:
    key: str
    bytes: int


@dataclass(frozen=True)
class Count:
    objects: int = 0
    bytes: int = 0

    def plus(self, found: Object) -> Count:
        return Count(self.objects + 1, self.bytes + found.bytes)


@dataclass(frozen=True)
class Target:
    stack: str
    bucket: str
    prefix: str
    function_arn: str
    # Lambda's description of the function.
    function: dict[str, Any]
    outputs: dict[str, str]
    s3: Any = field(repr=False)
    lambda_: Any = field(repr=False)

    @staticmethod
    def of(stack: str, prefix: str | None, at_once: int) -> Target:
        outputs = stack_outputs(stack)
        try:
            bucket, function_arn = outputs["OriginalsBucketName"], outputs["ThumbnailFunctionArn"]
        except KeyError as missing:
            raise Problem(f"stack {stack} has no output {missing}: name a stack of this template by --stack") from None
        lambda_ = boto3.client(
            "lambda",
            config=Config(
                max_pool_connections=at_once,
                read_timeout=LONGEST_INVOCATION_SECONDS + 30,
                retries={"mode": "standard", "total_max_attempts": 3},
            ),
        )
        function = lambda_.get_function_configuration(FunctionName=function_arn)
        below = function.get("Environment", {}).get("Variables", {}).get("ORIGINALS_PREFIX", "")
        return Target(
            stack, bucket, chosen_prefix(prefix, below), function_arn, function, outputs, boto3.client("s3"), lambda_
        )

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def is_local(self) -> bool:
        return urlsplit(self.lambda_.meta.endpoint_url).hostname in ("127.0.0.1", "localhost")

    @property
    def partition(self) -> str:
        return self.function_arn.split(":")[1]

    @property
    def account(self) -> str:
        return self.function_arn.split(":")[4]

    def setting(self, name: str) -> str:
        return self.function.get("Environment", {}).get("Variables", {}).get(name, "")

    def fingerprint(self) -> str:
        """It differs wherever a photo that was done may have to be done again: another account, region or local AWS,
        other settings, other code."""
        parts = [
            self.lambda_.meta.endpoint_url,
            self.function_arn,
            self.bucket,
            self.function.get("CodeSha256", ""),
            self.function.get("Environment", {}).get("Variables", {}),
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def pages(self, after: str = "", size: int = 1000) -> Iterator[list[Object]]:
        """The objects below the prefix behind a key, in S3's order: that of the keys' bytes."""
        listing = {"Bucket": self.bucket, "Prefix": self.prefix, "PaginationConfig": {"PageSize": size}}
        if after:
            listing["StartAfter"] = after
        for page in self.s3.get_paginator("list_objects_v2").paginate(**listing):
            yield [Object(entry["Key"], entry["Size"]) for entry in page.get("Contents", [])]

    def count(self) -> Count:
        count = Count()
        with Bar("listing") as bar:
            for page in self.pages():
                for found in page:
                    count = count.plus(found)
                bar.show(f"{count.objects:,} objects")
        return count


def chosen_prefix(asked: str | None, of_photos: str) -> str:
    """The prefix that is asked for; without one, that of the stack's photos."""
    if asked is None:
        return of_photos
    if not asked.startswith(of_photos):
        raise Problem(f"only keys that begin with {of_photos!r} are photos of this stack, and {asked!r} does not")
    return asked
