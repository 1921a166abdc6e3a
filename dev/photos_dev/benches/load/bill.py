"""The bill for a million photos in AWS, with this project's function and with others.

A function waits for its calls (waits.py), works, and pays for all that (prices.py). cost.py does the measuring, and
bill_report.py the printing, so that test_bill.py can check the arithmetic.

Lambda gives CPU in proportion to memory, one whole vCPU at 1769 MB (AWS Lambda Developer Guide, "Configure
Lambda function memory"), and a photo is work for one thread. So the CPU time takes longer below that size, in the
same proportion. Waiting is billed at every size.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from photos_dev.benches.load import prices
from photos_dev.benches.load.prices import MILLION, VCPU_MB
from photos_dev.benches.load.waits import Call, Waits

MEMORY_SIZES = (256, 512, 768, 1024, 1280, 1536, VCPU_MB, 2048, 3008)

# S3's prices. DynamoDB charges for the units written, not for calls.
THOUSAND_CALLS = {
    Call.GET: prices.S3_THOUSAND_GETS,
    Call.PUT: prices.S3_THOUSAND_PUTS,
    Call.ITEM: 0.0,
}

# Lambda's own lines about an invocation, in both formats. Real ones are as long as these: AWS Lambda Developer
# Guide, "Configuring JSON and plain text log formats" and "Lambda Telemetry API Event schema reference".
REQUEST = "6d68ca91-49c9-448d-89b8-7ca3e6dc66aa"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:photos-thumbnail"
LAMBDA_LINES_JSON = (
    f'{{"time":"2026-11-26T00:01:15.000Z","type":"platform.start","record":{{"requestId":"{REQUEST}",'
    f'"functionArn":"{ARN}","version":"$LATEST"}}}}\n'
    f'{{"time":"2026-11-26T00:01:15.265Z","type":"platform.report","record":{{"requestId":"{REQUEST}",'
    '"metrics":{"durationMs":264.151,"billedDurationMs":265,"memorySizeMB":1769,"maxMemoryUsedMB":46},'
    '"status":"success"}}\n'
)
LAMBDA_LINES_TEXT = (
    f"START RequestId: {REQUEST} Version: $LATEST\nEND RequestId: {REQUEST}\n"
    f"REPORT RequestId: {REQUEST}\tDuration: 310.15 ms\tBilled Duration: 311 ms\tMemory Size: 1769 MB\t"
    "Max Memory Used: 220 MB\t\n"
)
PEER_LINE = "made the thumbnail of 0123abcd/01.jpg\n"
# The text that Lambda puts before a line of Node.js: AWS Lambda Developer Guide, "Log and monitor
# Node.js Lambda functions".
NODE_PREFIX = f"2026-11-26T00:01:15.265Z\t{REQUEST}\tINFO\t"


@dataclass(frozen=True)
class Figures:
    """The measurements of a function."""

    cpu_ms: float  # of a photo, at one vCPU
    peak_mb: float
    cold_start_ms: float  # CPU
    versions: str


@dataclass(frozen=True)
class Function:
    """A function that makes certain renditions."""

    title: str
    renditions: int
    item_units: int
    index_units: int
    line_bytes: int
    lambda_line_bytes: int
    figures: Figures

    @property
    def steps(self) -> tuple[tuple[Call, ...], ...]:
        """The calls for a new photo: steps one after another, each of calls at once. Every function here makes these
        (`process` in src/pipeline/mod.rs, sharp_function.mjs, pillow_function.py)."""
        return (Call.GET,), (Call.PUT,) * self.renditions, (Call.ITEM,)


def this_project(
    figures: Figures, item_units: int, index_units: int, line_bytes: int, renditions: int = 1
) -> Function:
    lambda_bytes = len(LAMBDA_LINES_JSON)
    return Function("this project", renditions, item_units, index_units, line_bytes, lambda_bytes, figures)


def sharp(figures: Figures, renditions: int = 1) -> Function:
    return peer("sharp", NODE_PREFIX + PEER_LINE, figures, renditions)


def pillow(figures: Figures, renditions: int = 1) -> Function:
    return peer("Pillow", PEER_LINE, figures, renditions)


def peer(title: str, line: str, figures: Figures, renditions: int) -> Function:
    """Another function. sharp_function.mjs and pillow_function.py log in plain text, which is Lambda's default. Their
    items of the reference photo have 1.3 kB, which are 2 units, and they have no index."""
    return Function(title, renditions, 2, 0, len(line), len(LAMBDA_LINES_TEXT), figures)


@dataclass(frozen=True)
class Job:
    """Photos of one kind, and the function that makes their renditions."""

    original_bytes: int
    rendition_bytes: tuple[int, ...]
    function: Function

    def wait_ms(self, waits: Waits) -> float:
        return waits.of_steps(self.function.steps, self.original_bytes)

    def billed_ms(self, memory_mb: int, waits: Waits) -> int:
        """The billed time of a photo: Lambda bills whole milliseconds."""
        return math.ceil(scaled_ms(self.function.figures.cpu_ms, memory_mb) + self.wait_ms(waits))

    def batched_ms(self, memory_mb: int, waits: Waits, batch: int) -> float:
        """The billed time of a photo of a full batch whose photos overlap: while one waits for its calls, another is at
        work. So a batch waits as long as one photo, and works for all."""
        work = batch * scaled_ms(self.function.figures.cpu_ms, memory_mb)
        return math.ceil(self.wait_ms(waits) + work) / batch


@dataclass(frozen=True)
class Mix:
    """As many photos of each job, by one function."""

    title: str
    jobs: tuple[Job, ...]

    @property
    def peak_mb(self) -> float:
        return max(job.function.figures.peak_mb for job in self.jobs)

    def billed_ms(self, memory_mb: int, waits: Waits) -> float:
        """The mean billed time of a photo."""
        return statistics.mean(job.billed_ms(memory_mb, waits) for job in self.jobs)

    def lambda_dollars(self, memory_mb: int, waits: Waits) -> float:
        """Dollars for Lambda's time of a million photos."""
        return duration_dollars(memory_mb, self.billed_ms(memory_mb, waits))

    def batch_dollars(self, memory_mb: int, waits: Waits) -> float:
        """Dollars for Lambda's time of a million photos in a queue's full batches, whose photos overlap."""
        batched = (job.batched_ms(memory_mb, waits, prices.SQS_BATCH) for job in self.jobs)
        return duration_dollars(memory_mb, statistics.mean(batched))

    def dollars(self, memory_mb: int, waits: Waits) -> float:
        """All dollars for a million photos but storage."""
        others = statistics.mean(sum(at_every_size(job.function).values()) for job in self.jobs)
        return self.lambda_dollars(memory_mb, waits) + others

    def price_times_time(self, memory_mb: int, waits: Waits) -> float:
        """Lambda's dollars for a million photos, times the seconds of one."""
        return self.lambda_dollars(memory_mb, waits) * self.billed_ms(memory_mb, waits) / 1000


def scaled_ms(cpu_ms: float, memory_mb: int) -> float:
    """How long work for one thread takes."""
    return cpu_ms / min(1, memory_mb / VCPU_MB)


def duration_dollars(memory_mb: int, milliseconds: float) -> float:
    """Dollars for Lambda's time of a million photos."""
    return MILLION * memory_mb / 1024 * milliseconds / 1000 * prices.LAMBDA_GB_SECOND


def at_every_size(function: Function) -> dict[str, float]:
    """Dollars for a million photos that are the same at every memory size."""
    units = function.item_units + function.index_units
    calls = [call for step in function.steps for call in step]
    return {
        "Lambda, requests": prices.LAMBDA_MILLION_REQUESTS,
        "S3, the client's PUT": MILLION / 1000 * prices.S3_THOUSAND_PUTS,
        "S3, the function's calls": MILLION / 1000 * sum(THOUSAND_CALLS[call] for call in calls),
        "DynamoDB, write units": units * prices.DYNAMODB_MILLION_WRITE_UNITS,
        "CloudWatch Logs, the function's line": log_dollars(function.line_bytes),
        "CloudWatch Logs, Lambda's own lines": log_dollars(function.lambda_line_bytes),
    }


def log_dollars(line_bytes: int) -> float:
    return MILLION * line_bytes / 1e9 * prices.LOG_GB


def trace_dollars(photos_a_second: float) -> float:
    """Dollars for the traces of a million photos with active tracing."""
    rest = max(0, photos_a_second - prices.TRACED_A_SECOND)
    traced = min(photos_a_second, prices.TRACED_A_SECOND) + prices.TRACED_OF_THE_REST * rest
    return traced / photos_a_second * prices.XRAY_MILLION_TRACES


# ---- other ways to invoke the function ----


def queued_dollars(job: Job, memory_mb: int, waits: Waits, batch: int) -> float:
    """All dollars for a million photos through a queue, in full batches whose photos overlap."""
    milliseconds = job.batched_ms(memory_mb, waits, batch)
    # One request each sends, receives and deletes a message or a batch of up to ten.
    requests = 1 + 2 / min(batch, prices.SQS_BATCH)
    others = sum(at_every_size(job.function).values()) - prices.LAMBDA_MILLION_REQUESTS * (1 - 1 / batch)
    return duration_dollars(memory_mb, milliseconds) + others + requests * prices.SQS_MILLION_REQUESTS


def managed_dollars(job: Job, busy: float) -> float:
    """All dollars for a million photos on Lambda Managed Instances, whose vCPUs are busy for this share of the time. Its
    waiting costs nothing, as other photos are at work."""
    hours = MILLION * job.function.figures.cpu_ms / 1000 / 3600 / (prices.MANAGED_VCPUS * busy)
    instances = hours * prices.MANAGED_HOUR * (1 + prices.MANAGED_FEE)
    return instances + sum(at_every_size(job.function).values())


def idle_managed_dollars() -> float:
    """Dollars a month for the instances that Lambda keeps at least."""
    return prices.MANAGED_INSTANCES * prices.MONTH_HOURS * prices.MANAGED_HOUR * (1 + prices.MANAGED_FEE)


def managed_pays_from(job: Job, memory_mb: int, waits: Waits) -> float:
    """Photos a second, all day, for which Lambda's time costs as much as the instances that it keeps at least."""
    photo = duration_dollars(memory_mb, job.billed_ms(memory_mb, waits)) / MILLION
    return idle_managed_dollars() / photo / prices.MONTH_SECONDS


# ---- storage ----


def month_dollars(object_bytes: int) -> float:
    """Dollars for a month of a million objects in S3 Standard."""
    return gigabytes(object_bytes) * prices.S3_GB_MONTH


def standard_year(object_bytes: int) -> float:
    return 12 * month_dollars(object_bytes)


def tiered_year(object_bytes: int) -> float:
    """Dollars for the first year of a million objects in S3 Intelligent-Tiering that nobody asks for: 30 days as in
    Standard, then until day 90 as infrequently accessed, then as archived with access within milliseconds."""
    frequent, infrequent = prices.TIERED_DAYS
    days = (
        (frequent, prices.S3_GB_MONTH),
        (infrequent - frequent, prices.TIERED_INFREQUENT_GB_MONTH),
        (365 - infrequent, prices.TIERED_ARCHIVE_GB_MONTH),
    )
    stored = gigabytes(object_bytes) * sum(count / 365 * 12 * price for count, price in days)
    return stored + 12 * MILLION / 1000 * prices.TIERED_THOUSAND_OBJECTS_MONTH


def gigabytes(object_bytes: int) -> float:
    return MILLION * object_bytes / prices.S3_GB
