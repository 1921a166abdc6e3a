"""The calls of a function, and how long it waits for them. None of the times was measured for this project: they
cannot be on one machine, so they are computed with twice, as others have published them, and as AWS's guide has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Call(Enum):
    GET = "GET"
    PUT = "PUT"
    ITEM = "item"  # UpdateItem or PutItem


@dataclass(frozen=True)
class Waits:
    """The time that each call waits. A GET waits for its body too."""

    title: str
    ms: dict[Call, float]
    bytes_per_ms: float

    def of(self, call: Call, original_bytes: int) -> float:
        return self.ms[call] + (original_bytes / self.bytes_per_ms if call is Call.GET else 0)

    def of_steps(self, steps: Sequence[Sequence[Call]], original_bytes: int) -> float:
        """Of steps one after another, each of calls at once."""
        return sum(max(self.of(call, original_bytes) for call in step) for step in steps)


# The middle of the published values.
PUBLISHED = Waits(
    "published",
    {
        # 25-30. p90 of the first byte "around 20 ms", from 155 types of EC2 instances:
        # https://github.com/dvassallo/s3-benchmark. "Up to 30 ms", 80 ms "rather common":
        # https://quickwit.io/blog/s3-express-speculations
        Call.GET: 27.5,
        # 65-75. "50-100 ms": https://slatedb.io/docs/performance. 60-133 ms for 60 kB from a Lambda function
        # in the bucket's region: https://kkc.github.io/2020/03/16/s3-latency/
        Call.PUT: 70,
        # 5-8, a guess: the only source found says "in single-digit milliseconds" on average:
        # https://repost.aws/knowledge-center/dynamodb-high-latency
        Call.ITEM: 6.5,
    },
    # 93 MB/s of one connection (dvassallo), 85-90 (Amazon S3 User Guide, "Performance guidelines").
    bytes_per_ms=89_000,
)
# "roughly 100-200 milliseconds" of S3, and 85-90 MB/s of one connection: Amazon S3 User Guide, "Performance
# design patterns" and "Performance guidelines". "Single-digit millisecond": Amazon DynamoDB Developer Guide,
# "What is Amazon DynamoDB?".
GUIDE = Waits(
    "AWS's guide", {Call.GET: 100, Call.PUT: 100, Call.ITEM: 9}, bytes_per_ms=85_000
)

BOTH = (PUBLISHED, GUIDE)

# What calls to the local AWS are made to wait, bodies included, as they would in AWS by these.
INJECTED_MS = {
    PUBLISHED.title: {Call.GET: 67, Call.PUT: 65, Call.ITEM: 6},
    GUIDE.title: {Call.GET: 137, Call.PUT: 100, Call.ITEM: 9},
}
