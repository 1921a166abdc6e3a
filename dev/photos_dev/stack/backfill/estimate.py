"""What a backfill costs at most, in us-east-1: as if each object were a photo that is rendered anew.

The time of a photo is that of `make cost`: CPU time that grows with the bytes of the original, and waiting for S3 and
DynamoDB. Photos that are READY with the present settings take a fraction of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from photos_dev.benches.load import prices
from photos_dev.benches.load.prices import MILLION, VCPU_MB
from photos_dev.scale import constants
from photos_dev.stack.backfill.target import Count, Target

# https://aws.amazon.com/s3/pricing/, "S3 Batch Operations" among "Management & insights", as of 2026-11.
JOB = 0.25
MILLION_TASKS = 1.00
# Of the bucket's objects, whatever the prefix: this is the least.
MILLION_LISTED_BY_S3 = 0.015
# A list of 1,000 keys costs as much as a PUT.
KEYS_OF_A_LIST = 1000

# docs/performance.md, "A million photos": the published waits for GET, PUT and UpdateItem, and for the body. A task has
# no ETag and no sequencer, so the function looks at the original, the item and the renditions too
# (docs/reliability.md): 12, 6.5 and 12 ms.
WAIT_MS, BODY_BYTES_A_MS = 104 + 30.5, 89_000
# https://aws.amazon.com/dynamodb/pricing/on-demand/: of up to 4 KB each.
DYNAMODB_MILLION_READ_UNITS = 0.125


@dataclass(frozen=True)
class Work:
    """What is to be done, and by which function."""

    count: Count
    memory_mb: int
    is_arm64: bool
    renditions: int

    @staticmethod
    def of(target: Target, count: Count) -> Work:
        renditions = [part for part in target.setting("RENDITIONS").split(";") if part.strip()]
        architectures = target.function.get("Architectures", [])
        return Work(count, target.function["MemorySize"], "arm64" in architectures, max(1, len(renditions)))


def lambda_seconds(work: Work) -> float:
    slower = max(1.0, VCPU_MB / work.memory_mb)
    cpu_ms = constants.CPU_MS * work.count.bytes / constants.ORIGINAL_BYTES * slower
    wait_ms = WAIT_MS * work.count.objects + work.count.bytes / BODY_BYTES_A_MS
    return (cpu_ms + wait_ms) / 1000


def costs(work: Work, is_job: bool) -> dict[str, float]:
    """Dollars, by what they are for."""
    objects = work.count.objects
    gb_second = prices.LAMBDA_ARM64_GB_SECOND if work.is_arm64 else prices.LAMBDA_GB_SECOND
    lambda_ = lambda_seconds(work) * work.memory_mb / 1024 * gb_second
    # S3 charges a HEAD as a GET.
    calls = (2 + work.renditions) * prices.S3_THOUSAND_GETS + work.renditions * prices.S3_THOUSAND_PUTS
    units = sum(constants.UNITS) * prices.DYNAMODB_MILLION_WRITE_UNITS + DYNAMODB_MILLION_READ_UNITS
    found = {
        f"Lambda, {work.memory_mb} MB": lambda_ + objects / MILLION * prices.LAMBDA_MILLION_REQUESTS,
        "S3, the function's calls": objects / 1000 * calls,
        "DynamoDB": objects / MILLION * units,
    }
    if is_job:
        batch = JOB + objects / MILLION * (MILLION_TASKS + MILLION_LISTED_BY_S3)
        return {"S3 Batch Operations": batch} | found
    return {"S3, lists of keys": objects / KEYS_OF_A_LIST / 1000 * prices.S3_THOUSAND_PUTS} | found


def report(work: Work, is_job: bool) -> str:
    found = costs(work, is_job)
    rows = [f"  {what:26} ${dollars:10,.2f}" for what, dollars in (found | {"together": sum(found.values())}).items()]
    said = "It costs at most, if each object is a photo that is rendered anew (us-east-1):"
    return "\n".join([said, *rows, "  https://aws.amazon.com/s3/pricing/, https://aws.amazon.com/lambda/pricing/"])


def size(count: int) -> str:
    """Bytes, for people."""
    for unit, of in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)):
        if count >= of:
            return f"{count / of:.1f} {unit}"
    return f"{count:,} bytes"
