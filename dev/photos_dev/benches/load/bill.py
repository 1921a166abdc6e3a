"""The bill for a million photos in AWS, with this project's function and with others.

For each function, it has the calls that the function makes, the time that it waits for them, and the cost of all
that. cost.py does the measuring, so that test_bill.py can check the arithmetic.

Lambda gives CPU in proportion to memory, one whole vCPU at 1769 MB (AWS Lambda Developer Guide, "Configure
Lambda function memory"), and a photo is work for one thread. So the CPU time takes longer below that size, in the
same proportion. Waiting is billed at every size.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from photos_dev.benches.load import prices
from photos_dev.benches.load.prices import MILLION, VCPU_MB

MEMORY_SIZES = (256, 512, 768, 1024, 1280, 1536, VCPU_MB, 2048, 3008)
COMPARED_SIZES = (512, VCPU_MB)
BUSY_PHOTOS_A_SECOND = 100


class Call(Enum):
    GET = "GET"
    PUT = "PUT"
    ITEM = "item"  # UpdateItem or PutItem


# The calls of every function here, for a new photo.
CALLS = (Call.GET, Call.PUT, Call.ITEM)

# S3's prices. DynamoDB charges for the units written, not for calls.
THOUSAND_CALLS = {
    Call.GET: prices.S3_THOUSAND_GETS,
    Call.PUT: prices.S3_THOUSAND_PUTS,
    Call.ITEM: 0.0,
}


@dataclass(frozen=True)
class Waits:
    """The time that each call waits. A GET waits for its body too."""

    title: str
    ms: dict[Call, float]
    bytes_per_ms: float

    def of(self, call: Call, original_bytes: int) -> float:
        return self.ms[call] + (original_bytes / self.bytes_per_ms if call is Call.GET else 0)


# The middle of the published values. None of them was measured for this project.
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
    title: str
    calls: tuple[Call, ...]  # of a photo, one after another
    item_units: int
    index_units: int
    line_bytes: int
    lambda_line_bytes: int
    figures: Figures

    def wait_ms(self, waits: Waits, original_bytes: int) -> float:
        return sum(waits.of(call, original_bytes) for call in self.calls)


def this_project(figures: Figures, item_units: int, index_units: int, line_bytes: int) -> Function:
    """This project's function, for a photo whose key is new: `process` in src/pipeline/mod.rs."""
    return Function(
        "this project", CALLS, item_units, index_units, line_bytes, len(LAMBDA_LINES_JSON), figures
    )


def sharp(figures: Figures) -> Function:
    return peer("sharp", NODE_PREFIX + PEER_LINE, figures)


def pillow(figures: Figures) -> Function:
    return peer("Pillow", PEER_LINE, figures)


def peer(title: str, line: str, figures: Figures) -> Function:
    """Another function. sharp_function.mjs and pillow_function.py make the same calls, and log in plain text, which
    is Lambda's default. Their items of the reference photo have 1.3 kB, which are 2 units, and they have no index."""
    return Function(title, CALLS, 2, 0, len(line), len(LAMBDA_LINES_TEXT), figures)


@dataclass(frozen=True)
class Photo:
    original_bytes: int
    thumbnail_bytes: int


@dataclass(frozen=True)
class Work:
    """Photos of one kind, and a function that makes their thumbnails."""

    photo: Photo
    function: Function


@dataclass(frozen=True)
class Mix:
    """As many photos of each kind, and one way to make their thumbnails."""

    title: str
    works: tuple[Work, ...]

    @property
    def peak_mb(self) -> float:
        return max(work.function.figures.peak_mb for work in self.works)

    def billed_ms(self, memory_mb: int, waits: Waits) -> float:
        """The mean billed time of a photo."""
        return statistics.mean(
            billed_ms(work.function, memory_mb, work.function.wait_ms(waits, work.photo.original_bytes))
            for work in self.works
        )

    def total_dollars(self, memory_mb: int, waits: Waits) -> float:
        return statistics.mean(
            total_dollars(work.function, memory_mb, work.function.wait_ms(waits, work.photo.original_bytes))
            for work in self.works
        )


def alone(photo: Photo, functions: Iterable[Function]) -> list[Mix]:
    """Photos of one kind only, by each function."""
    return [Mix(function.title, (Work(photo, function),)) for function in functions]


def half_and_half(photos: tuple[Photo, Photo], functions: Iterable[tuple[Function, Function]]) -> list[Mix]:
    """Photos of two kinds, by functions whose figures are known for each kind."""
    return [Mix(pair[0].title, tuple(map(Work, photos, pair))) for pair in functions]


# ---- the model ----


def billed_ms(function: Function, memory_mb: int, wait_ms: float) -> int:
    """The billed time of a photo: Lambda bills whole milliseconds."""
    return math.ceil(function.figures.cpu_ms / min(1, memory_mb / VCPU_MB) + wait_ms)


def duration_dollars(memory_mb: int, milliseconds: float) -> float:
    """Dollars for Lambda's time of a million photos."""
    return MILLION * memory_mb / 1024 * milliseconds / 1000 * prices.LAMBDA_GB_SECOND


def at_every_size(function: Function) -> dict[str, float]:
    """Dollars for a million photos that are the same at every memory size."""
    units = function.item_units + function.index_units
    return {
        "Lambda, requests": prices.LAMBDA_MILLION_REQUESTS,
        "S3, the client's PUT": MILLION / 1000 * prices.S3_THOUSAND_PUTS,
        "S3, the function's calls": MILLION / 1000 * sum(THOUSAND_CALLS[call] for call in function.calls),
        "DynamoDB, write units": units * prices.DYNAMODB_MILLION_WRITE_UNITS,
        "CloudWatch Logs, the function's line": log_dollars(function.line_bytes),
        "CloudWatch Logs, Lambda's own lines": log_dollars(function.lambda_line_bytes),
    }


def log_dollars(line_bytes: int) -> float:
    return MILLION * line_bytes / 1e9 * prices.LOG_GB


def total_dollars(function: Function, memory_mb: int, wait_ms: float) -> float:
    duration = duration_dollars(memory_mb, billed_ms(function, memory_mb, wait_ms))
    return duration + sum(at_every_size(function).values())


def storage_dollars(object_bytes: int) -> float:
    """Dollars for a month of a million objects."""
    return MILLION * object_bytes / prices.S3_GB * prices.S3_GB_MONTH


def trace_dollars(photos_a_second: float) -> float:
    """Dollars for the traces of a million photos with active tracing."""
    rest = max(0, photos_a_second - prices.TRACED_A_SECOND)
    traced = min(photos_a_second, prices.TRACED_A_SECOND) + prices.TRACED_OF_THE_REST * rest
    return traced / photos_a_second * prices.XRAY_MILLION_TRACES


# ---- what is printed ----


def report(photo: Photo, functions: Sequence[Function]) -> str:
    """The whole report. It compares the first function with each of the others."""
    mixes = alone(photo, functions)
    parts = [measured("per photo", functions), waits(photo, functions), every_size(functions)]
    parts += [by_size("", mixes, set_of_waits) for set_of_waits in (PUBLISHED, GUIDE)]
    parts += [compared("", mixes), not_in_it(photo)]
    return joined(parts)


def half_heic(photos: tuple[Photo, Photo], functions: Sequence[tuple[Function, Function]]) -> str:
    """The report about JPEGs and HEICs, half and half, by functions that read both."""
    mixes = half_and_half(photos, functions)
    parts = [measured("per HEIC", [of_heic for _, of_heic in functions])]
    parts += [by_size("half HEIC, ", mixes, set_of_waits) for set_of_waits in (PUBLISHED, GUIDE)]
    parts += [compared("half HEIC, ", mixes)]
    return joined(parts)


def joined(parts: Iterable[Iterable[str]]) -> str:
    return "\n\n".join("\n".join(part) for part in parts)


def measured(what: str, functions: Sequence[Function]) -> Iterator[str]:
    yield row(what, (function.title for function in functions))
    figures = [function.figures for function in functions]
    yield row("CPU, ms", (f"{of.cpu_ms:.0f}" for of in figures))
    yield row("peak memory, MB", (f"{of.peak_mb:.0f}" for of in figures))
    yield row("a cold start, ms CPU", (f"{of.cold_start_ms:.0f}" for of in figures))
    units = (f"{function.item_units} + {function.index_units}" for function in functions)
    yield row("write units of the item + of its index", units)
    log_bytes = (f"{function.line_bytes} + {function.lambda_line_bytes}" for function in functions)
    yield row("bytes of its log line + of Lambda's", log_bytes)
    for function in functions:
        if function.figures.versions:
            yield f"{function.title}: {function.figures.versions}"


def waits(photo: Photo, functions: Sequence[Function]) -> Iterator[str]:
    def line(name: str, calls: Sequence[Call]) -> str:
        cells = (sum(of.of(call, photo.original_bytes) for call in calls) for of in (PUBLISHED, GUIDE))
        return row(name, (f"{cell:.1f}" for cell in cells))

    yield row("waits, ms (not measured here)", (PUBLISHED.title, GUIDE.title))
    for call in Call:
        yield line(call.value, [call])
    for function in functions:
        yield line(f"{function.title}: {', '.join(call.value for call in function.calls)}", function.calls)


def every_size(functions: Sequence[Function]) -> Iterator[str]:
    yield row("$ per million photos, at every size", (function.title for function in functions))
    columns = [at_every_size(function) for function in functions]
    for name in columns[0]:
        yield row(name, (f"{column[name]:.2f}" for column in columns))
    yield row("total", (f"{sum(column.values()):.2f}" for column in columns))


def by_size(of: str, mixes: Sequence[Mix], set_of_waits: Waits) -> Iterator[str]:
    yield f"per million photos, {of}x86_64, waits: {set_of_waits.title}"
    yield "memory" + "".join(f"{mix.title:>30}" for mix in mixes)
    yield "    MB" + "   billed ms  Lambda $   all $" * len(mixes)
    for memory_mb in MEMORY_SIZES:
        yield f"{memory_mb:6}" + "".join(size_cells(mix, memory_mb, set_of_waits) for mix in mixes)


def size_cells(mix: Mix, memory_mb: int, set_of_waits: Waits) -> str:
    if mix.peak_mb > memory_mb:
        return f"{'does not fit':>30}"
    milliseconds = mix.billed_ms(memory_mb, set_of_waits)
    dollars = duration_dollars(memory_mb, milliseconds)
    return f"{milliseconds:12.0f}{dollars:10.2f}{mix.total_dollars(memory_mb, set_of_waits):8.2f}"


def compared(of: str, mixes: Sequence[Mix]) -> Iterator[str]:
    ours, *others = mixes
    yield row(f"all $, {of}{ours.title} compared with", (PUBLISHED.title, GUIDE.title))
    for memory_mb in COMPARED_SIZES:
        for other in others:
            cells = (difference(ours, other, memory_mb, waits) for waits in (PUBLISHED, GUIDE))
            yield row(f"{other.title} at {memory_mb} MB", (f"{cell:+.1%}" for cell in cells))


def difference(ours: Mix, other: Mix, memory_mb: int, set_of_waits: Waits) -> float:
    """How much more the first costs, as a share of the other."""
    return ours.total_dollars(memory_mb, set_of_waits) / other.total_dollars(memory_mb, set_of_waits) - 1


def not_in_it(photo: Photo) -> Iterator[str]:
    yield "not included"
    arm64 = prices.LAMBDA_ARM64_GB_SECOND / prices.LAMBDA_GB_SECOND - 1
    yield row("arm64 (if as fast as x86_64), on Lambda $", [f"{arm64:+.0%}"])
    yield row("X-Ray, $ per million photos: by default", ["0.00"])
    yield row("  Tracing=Active, below 1 photo a second", [f"{trace_dollars(1):.2f}"])
    yield row(
        f"  Tracing=Active, at {BUSY_PHOTOS_A_SECOND} a second", [f"{trace_dollars(BUSY_PHOTOS_A_SECOND):.2f}"]
    )
    yield row("storage of a million originals, $ a month", [f"{storage_dollars(photo.original_bytes):.2f}"])
    yield row("storage of their thumbnails, $ a month", [f"{storage_dollars(photo.thumbnail_bytes):.2f}"])


def row(name: str, cells: Iterable[str]) -> str:
    return f"{name:42}" + "".join(f"{cell:>14}" for cell in cells)
