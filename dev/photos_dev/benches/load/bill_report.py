"""What `make cost` prints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from photos_dev.benches.load import bill, prices
from photos_dev.benches.load.bill import Function, Job, Mix
from photos_dev.benches.load.prices import VCPU_MB
from photos_dev.benches.load.waits import BOTH, Call, Waits

COMPARED_SIZES = (512, VCPU_MB)
BUSY_PHOTOS_A_SECOND = 100
CELL = 8
# The waits of two columns of dollars.
TWICE_BOTH = [waits.title for _ in range(2) for waits in BOTH]
# The share of the time for which the vCPUs of Managed Instances are at work.
BUSY = 0.5


def report(sections: dict[str, Sequence[Mix]], everyday: Mix) -> str:
    """Compares the first function with the others in each section, then computes what else there is to choose."""
    parts = [part for title, mixes in sections.items() for part in of_section(title, mixes)]
    (job,) = next(iter(sections.values()))[0].jobs
    parts += [which_memory(everyday), other_ways(job), storage(job), not_included()]
    return "\n\n".join("\n".join(part) for part in parts)


def of_section(title: str, mixes: Sequence[Mix]) -> Iterator[Iterable[str]]:
    yield [f"=== {title}"]
    # The last kind of photo is what is new in a section.
    last = [mix.jobs[-1] for mix in mixes]
    yield measured([job.function for job in last])
    yield waited(last[0])
    yield every_size([job.function for job in last])
    yield by_size(mixes)
    yield compared(mixes)
    yield compared_in_batches(mixes)


def measured(functions: Sequence[Function]) -> Iterator[str]:
    yield row("per photo", (function.title for function in functions))
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


def waited(job: Job) -> Iterator[str]:
    yield row("waits of each, ms (not measured here)", (waits.title for waits in BOTH))
    for call in Call:
        yield row(call.value, (f"{waits.of(call, job.original_bytes):.1f}" for waits in BOTH))
    yield row("together", (f"{job.wait_ms(waits):.1f}" for waits in BOTH))


def every_size(functions: Sequence[Function]) -> Iterator[str]:
    yield row("$ per million photos, at every size", (function.title for function in functions))
    columns = [bill.at_every_size(function) for function in functions]
    for name in columns[0]:
        yield row(name, (f"{column[name]:.2f}" for column in columns))
    yield row("total", (f"{sum(column.values()):.2f}" for column in columns))


def by_size(mixes: Sequence[Mix]) -> Iterator[str]:
    yield "Lambda's time: ms a photo, and $ per million photos (x86_64)"
    width = 2 * CELL * len(mixes)
    yield f"{'waits:':8}" + "".join(f"{waits.title:>{width}}" for waits in BOTH)
    yield f"{'memory':8}" + "".join(f"{mix.title:>{2 * CELL}}" for _ in BOTH for mix in mixes)
    yield f"{'MB':>8}" + f"{'ms':>{CELL}}{'$':>{CELL}}" * len(mixes) * len(BOTH)
    for memory_mb in bill.MEMORY_SIZES:
        yield f"{memory_mb:8}" + "".join(size_cells(mix, memory_mb, waits) for waits in BOTH for mix in mixes)


def size_cells(mix: Mix, memory_mb: int, waits: Waits) -> str:
    if mix.peak_mb > memory_mb:
        return f"{'does not fit':>{2 * CELL}}"
    return f"{mix.billed_ms(memory_mb, waits):{CELL}.0f}{mix.lambda_dollars(memory_mb, waits):{CELL}.2f}"


def compared(mixes: Sequence[Mix]) -> Iterator[str]:
    ours, *others = mixes
    yield row(f"{ours.title} costs, as a share of", ("Lambda $", "", "all $", ""))
    yield row("", TWICE_BOTH)
    for other in others:
        yield from shares(other, ((ours.lambda_dollars, other.lambda_dollars), (ours.dollars, other.dollars)))


def compared_in_batches(mixes: Sequence[Mix]) -> Iterator[str]:
    """As if the others' photos overlapped as well, without more memory."""
    ours, *others = mixes
    yield row(f"in batches of {prices.SQS_BATCH}, Lambda $ of", ("one by one", "", "batches too", ""))
    yield row("", TWICE_BOTH)
    for other in others:
        yield from shares(other, ((ours.batch_dollars, other.lambda_dollars), (ours.batch_dollars, other.batch_dollars)))


Dollars = Callable[[int, Waits], float]


def shares(other: Mix, pairs: Sequence[tuple[Dollars, Dollars]]) -> Iterator[str]:
    """The first of each pair as a share of the second, at each size in which the other fits."""
    for memory_mb in bill.MEMORY_SIZES:
        if other.peak_mb <= memory_mb:
            cells = (f"{ours(memory_mb, waits) / its(memory_mb, waits):.0%}" for ours, its in pairs for waits in BOTH)
            yield row(f"{other.title} at {memory_mb} MB", cells)


def which_memory(everyday: Mix) -> Iterator[str]:
    yield f"=== which memory size, for {everyday.title}"
    yield f"{'waits:':8}" + "".join(f"{waits.title:>{6 * CELL}}" for waits in BOTH)
    columns = "".join(f"{name:>{2 * CELL}}" for name in ("ms", "Lambda $", "$ x s"))
    yield f"{'MB':>8}" + columns * len(BOTH)
    for memory_mb in bill.MEMORY_SIZES:
        yield f"{memory_mb:8}" + "".join(memory_cells(everyday, memory_mb, waits) for waits in BOTH)
    for waits in BOTH:
        least = min(bill.MEMORY_SIZES, key=lambda memory_mb: everyday.price_times_time(memory_mb, waits))
        yield f"least price times time, {waits.title}: {least} MB"


def memory_cells(everyday: Mix, memory_mb: int, waits: Waits) -> str:
    milliseconds = everyday.billed_ms(memory_mb, waits)
    dollars = everyday.lambda_dollars(memory_mb, waits)
    product = everyday.price_times_time(memory_mb, waits)
    return f"{milliseconds:{2 * CELL}.0f}{dollars:{2 * CELL}.2f}{product:{2 * CELL}.2f}"


def other_ways(job: Job) -> Iterator[str]:
    yield row("=== all $, thumbnail alone, invoked by", (waits.title for waits in BOTH))
    for memory_mb in COMPARED_SIZES:
        direct = Mix("", (job,))
        yield row(f"S3, {memory_mb} MB", (f"{direct.dollars(memory_mb, waits):.2f}" for waits in BOTH))
        for batch in (1, prices.SQS_BATCH):
            cells = (f"{bill.queued_dollars(job, memory_mb, waits, batch):.2f}" for waits in BOTH)
            yield row(f"a queue, batches of {batch}, {memory_mb} MB", cells)
    yield row(f"S3, Managed Instances busy for {BUSY:.0%}", [f"{bill.managed_dollars(job, BUSY):.2f}"] * len(BOTH))
    yield row("Managed Instances, idle, $ a month", [f"{bill.idle_managed_dollars():.2f}"] * len(BOTH))
    for memory_mb in COMPARED_SIZES:
        cells = (f"{bill.managed_pays_from(job, memory_mb, waits):.1f}" for waits in BOTH)
        yield row(f"  they pay from, photos a second, {memory_mb} MB", cells)


def storage(job: Job) -> Iterator[str]:
    yield row("=== $ for a million photos in a year", ("Standard", "Int.-Tiering"))
    sizes = {"originals": job.original_bytes, "thumbnails": sum(job.rendition_bytes)}
    for name, size in sizes.items():
        yield row(f"storage, {name}", (f"{bill.standard_year(size):.2f}", f"{bill.tiered_year(size):.2f}"))


def not_included() -> Iterator[str]:
    yield "=== by choice"
    arm64 = prices.LAMBDA_ARM64_GB_SECOND / prices.LAMBDA_GB_SECOND - 1
    yield row("arm64 (if as fast as x86_64), on Lambda $", [f"{arm64:+.0%}"])
    yield row("X-Ray, $ per million photos: by default", ["0.00"])
    yield row("  Tracing=Active, below 1 photo a second", [f"{bill.trace_dollars(1):.2f}"])
    traced = bill.trace_dollars(BUSY_PHOTOS_A_SECOND)
    yield row(f"  Tracing=Active, at {BUSY_PHOTOS_A_SECOND} a second", [f"{traced:.2f}"])


def row(name: str, cells: Iterable[str]) -> str:
    cells = list(cells)
    width = max(14, *(len(cell) + 2 for cell in cells))
    return (f"{name:42}" + "".join(f"{cell:>{width}}" for cell in cells)).rstrip()
