"""The questions that `make scale` answers: for each a table, from arithmetic or from runs of the simulation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from photos_dev.benches.load.waits import GUIDE
from photos_dev.scale import constants
from photos_dev.scale.simulation import Load, Result, Setup, simulate, times
from photos_dev.scale.work import Answer, Outage, Times

RATES = (1, 10, 100, 500, 1_000, 1_500, 2_500, 5_000, 10_000)
HOLD_S = 60  # for which each rate lasts
LEAST_PHOTOS = 1_000  # of a rate: it lasts longer where that would be fewer
BURST = 24 * 10_000
ALBUM_RATES = (900, 1_200, 1_500, 2_000)
ALBUM_HOLD_S = 300
ASSUMED_RATE = 1_500
OUTAGE_RATES = (10, 100)
BEFORE_S, OUTAGE_S = 300, 3_600
# Objects of a run with an outage, which has many tries.
OUTAGE_OBJECTS = 2_000

# The limits that an account may ask AWS to raise, or raise by load: S3's prefixes, the table's warm throughput.
RAISED = {"account": 10_000, "prefixes": 4, "table_units": constants.QUOTA_UNITS}
# Photos a second into one album, and into many: settings that stay below what the index and a new table take.
ALBUM_RESERVED, ALBUM_BATCHES = 240, 125
TABLE_RESERVED, TABLE_BATCHES = 320, 165
PATIENT_VISIBILITY_S = 1_000


@dataclass(frozen=True)
class Sheet:
    """A question, and its table."""

    question: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        lines = [self.head, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.head))]
        shown = [
            "  ".join(
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths))
            ).rstrip()
            for line in lines
        ]
        return "\n".join([self.question, *shown])

    def markdown(self) -> str:
        lines = [f"| {' | '.join(cells)} |" for cells in (self.head, *self.rows)]
        lines.insert(1, f"|---|{'---:|' * (len(self.head) - 1)}")
        return "\n".join([f"## {self.question}", "", *lines])


@dataclass(frozen=True)
class Held:
    """A rate that was held in a setup."""

    rate: int
    result: Result


# ---- the limits, by arithmetic ----


def limits(setup: Setup) -> Sheet:
    """What each limit admits, in photos a second: the least comes first."""
    of, account = setup.times, f"{setup.environments:,} environments"
    guide = times(GUIDE, of.cpu_ms)
    puts, gets = constants.S3_PUTS, constants.S3_GETS
    a_minute_later = constants.BATCHES_AT_FIRST + 60 * constants.BATCHES_A_SECOND
    rows = [
        ("`make redrive`: two dead letters at a time", *_both(redrive_rate(of)), "`MaximumConcurrency` of `Redrive`"),
        ("one album: an index partition takes 1,000 units", *_units(constants.PARTITION_UNITS, 1), "albums"),
        ("a new table: 4,000 units", *_units(constants.NEW_TABLE_UNITS, 0), "warm throughput, or half an hour"),
        ("the queue, a minute after a standing start", *_both(queue_rate(a_minute_later, of)), "time"),
        (f"{account}, waits of the guide", *_both(direct_rate(setup.environments, guide)), "the account's limit"),
        ("S3: PUTs of renditions, one prefix", puts, puts / 3, "load that grows slowly"),
        ("S3: PUTs of originals, one prefix", *_both(puts), "load that grows slowly"),
        (f"{account}, published waits", *_both(direct_rate(setup.environments, of)), "the account's limit"),
        ("S3: GETs, one prefix", *_both(gets), "load that grows slowly"),
        (f"{account}, full batches of the queue", *_both(queue_rate(setup.environments, of)), "the account's limit"),
        ("1,250 batches of the queue", *_both(queue_rate(constants.BATCHES_MOST, of)), "Lambda's provisioned mode"),
        ("a table at its quota: 40,000 units", *_units(constants.QUOTA_UNITS, 0), "the quota"),
    ]
    rows.sort(key=lambda row: row[1])
    shown = tuple((name, f"{one:,.0f}", f"{three:,.0f}", change) for name, one, three, change in rows)
    head = ("limit", "photos/s, one rendition", "three renditions", "raised by")
    return Sheet("What does each limit admit?", head, shown)


def _both(rate: float) -> tuple[float, float]:
    return rate, rate


def _units(limit: int, index: int) -> tuple[float, float]:
    return limit / constants.UNITS[index], limit / constants.UNITS_OF_SEVERAL[index]


def direct_rate(environments: int, of: Times) -> float:
    """Photos a second, each an invocation."""
    return environments / (of.photo_ms / 1000)


def queue_rate(batches: int, of: Times) -> float:
    """Photos a second in full batches."""
    return batches * constants.BATCH_PHOTOS / (of.batch_ms(constants.BATCH_PHOTOS) / 1000)


def redrive_rate(of: Times) -> float:
    return direct_rate(constants.REDRIVE_BATCHES * constants.REDRIVE_PHOTOS, of)


# ---- rates ----


def held(setup: Setup, seed: int) -> list[Held]:
    results = []
    for rate in RATES:
        seconds = max(HOLD_S, LEAST_PHOTOS / rate)
        results.append(Held(rate, simulate(setup, Load(round(rate * seconds), seconds), seed)))
    return results


def raised(setup: Setup) -> Setup:
    return replace(setup, **RAISED)


def rates(title: str, direct: list[Held], queue: list[Held]) -> Sheet:
    head = (
        "photos/s", "p50", "p99", "dead letters", "refused by",
        "queue: p50", "p99", "dead letters", "refused by",
    )
    rows = tuple(
        (f"{one.rate:,}", *_times_and_letters(one.result), *_times_and_letters(other.result))
        for one, other in zip(direct, queue)
    )
    return Sheet(title, head, rows)


def _times_and_letters(result: Result) -> tuple[str, ...]:
    return duration(result.p50_s), duration(result.p99_s), f"{result.dead:,}", result.refused_by


# ---- bursts ----


def bursts(setup: Setup, seed: int) -> Sheet:
    """A burst into many albums, and into one."""
    queue = replace(setup, queue=True)
    ways = {
        "many albums": (
            ("S3 direct", setup),
            (f"ReservedConcurrency={TABLE_RESERVED}", replace(setup, reserved=TABLE_RESERVED)),
            ("queue", queue),
            (f"queue, QueueMaximumConcurrency={TABLE_BATCHES}", replace(queue, queue_concurrency=TABLE_BATCHES)),
            ("S3 direct, raised limits", raised(setup)),
            ("queue, raised limits", raised(queue)),
        ),
        "one album": (
            ("S3 direct", setup),
            (f"ReservedConcurrency={ALBUM_RESERVED}", replace(setup, reserved=ALBUM_RESERVED)),
            ("queue", queue),
            (f"queue, QueueMaximumConcurrency={ALBUM_BATCHES}", replace(queue, queue_concurrency=ALBUM_BATCHES)),
            ("S3 direct, raised limits", raised(setup)),
        ),
    }
    rows = []
    for albums, of in ways.items():
        for name, way in of:
            result = simulate(replace(way, one_album=albums == "one album"), Load(BURST, 0), seed)
            rows.append((f"{albums}: {name}", *_fate(result)))
    return Sheet(f"What happens to {BURST:,} photos at once?", ("way", *FATE), tuple(rows))


FATE = ("READY", "dead letters", "tries a photo", "p50", "p99", "all decided", "refused by")


def _fate(result: Result) -> tuple[str, ...]:
    return (
        f"{result.ready:,}",
        f"{result.dead:,}",
        f"{result.tries:.1f}",
        duration(result.p50_s),
        duration(result.p99_s),
        duration(result.decided_s),
        result.refused_by,
    )


# ---- an outage ----


def outages(setup: Setup, seed: int) -> Sheet:
    """DynamoDB is away for an hour: what is retried, and what becomes a dead letter."""
    queue = replace(setup, queue=True)
    ways = (
        ("S3 direct", setup),
        ("queue", queue),
        (f"queue, QueueVisibilitySeconds={PATIENT_VISIBILITY_S}", replace(queue, visibility_s=PATIENT_VISIBILITY_S)),
    )
    rows = []
    for answer, said in ((Answer.REFUSED, "refuses"), (Answer.SILENT, "does not answer")):
        for rate in OUTAGE_RATES:
            for name, way in ways:
                result = outage(way, rate, answer, seed)
                rows.append((f"{said}, {rate}/s: {name}", *_outage(result, way)))
    head = (
        "DynamoDB, photos a second", "uploaded", "dead letters", "tries a photo", "environments",
        "all decided after it", "then `make redrive` takes",
    )
    return Sheet("What does an hour without DynamoDB leave?", head, tuple(rows))


def outage(setup: Setup, rate: float, answer: Answer, seed: int) -> Result:
    """Uploads end with it: later ones are decided within seconds, and would hide how long the others take."""
    seconds = BEFORE_S + OUTAGE_S
    away = Outage(BEFORE_S, BEFORE_S + OUTAGE_S, answer)
    return simulate(replace(setup, outage=away), Load(round(rate * seconds), seconds, OUTAGE_OBJECTS), seed)


def _outage(result: Result, setup: Setup) -> tuple[str, ...]:
    return (
        f"{result.photos:,}",
        f"{result.dead:,}",
        f"{result.tries:.1f}",
        f"{result.environments:,}",
        duration(result.decided_s - BEFORE_S - OUTAGE_S),
        duration(result.dead / redrive_rate(setup.times)) if result.dead else "nothing",
    )


# ---- one album ----


def albums(setup: Setup, seed: int) -> Sheet:
    """Rates into one album, most of them more than its index partition takes."""
    queue, held_back = replace(setup, queue=True), f"queue, QueueMaximumConcurrency={ALBUM_BATCHES}"
    ways = (
        *(("S3 direct", setup, rate) for rate in ALBUM_RATES),
        ("S3 direct, raised limits", raised(setup), ASSUMED_RATE),
        (f"ReservedConcurrency={ALBUM_RESERVED}", replace(setup, reserved=ALBUM_RESERVED), ASSUMED_RATE),
        ("queue", queue, ASSUMED_RATE),
        (held_back, replace(queue, queue_concurrency=ALBUM_BATCHES), ASSUMED_RATE),
    )
    rows = []
    for name, way, rate in ways:
        result = into_album(way, rate, seed)
        rows.append((f"{rate:,}/s: {name}", *_fate(result)))
    head = ("photos/s, way", *FATE)
    return Sheet(f"What if all photos of {ALBUM_HOLD_S // 60} minutes go into one album?", head, tuple(rows))


def into_album(setup: Setup, rate: float, seed: int) -> Result:
    return simulate(replace(setup, one_album=True), Load(round(rate * ALBUM_HOLD_S), ALBUM_HOLD_S), seed)


# ---- assumptions ----


def assumptions(setup: Setup, seed: int) -> Sheet:
    """How much the dead letters of such a rate depend on what was assumed."""
    ways = (
        ("as assumed", setup, seed),
        ("another seed", setup, seed + 1),
        ("waits of AWS's guide", replace(setup, times=times(GUIDE, setup.times.cpu_ms)), seed),
        ("twice the CPU time", replace(setup, times=replace(setup.times, cpu_ms=2 * setup.times.cpu_ms)), seed),
        ("waits that do not vary", replace(setup, times=replace(setup.times, wait_sigma=0.0)), seed),
        ("notifications after 5 s", replace(setup, notification_s=5.0), seed),
        ("DynamoDB has divided the album in two", replace(setup, album_units=2 * constants.PARTITION_UNITS), seed),
    )
    rows = []
    for name, way, with_seed in ways:
        result = into_album(way, ASSUMED_RATE, with_seed)
        rows.append((name, f"{result.dead:,}", f"{result.dead / result.photos:.1%}", duration(result.decided_s)))
    head = ("assumption", "dead letters", "of all photos", "all decided")
    question = f"How much of it is assumed? {ASSUMED_RATE:,} photos a second into one album, S3 direct"
    return Sheet(question, head, tuple(rows))


@dataclass(frozen=True)
class Answers:
    """All of it."""

    sheets: tuple[Sheet, ...]
    # Panels of the chart: title, S3 direct, the queue.
    panels: tuple[tuple[str, list[Held], list[Held]], ...]


def answers(setup: Setup, seed: int) -> Answers:
    panels = tuple(_panels(setup, seed))
    return Answers(
        (
            limits(setup),
            *(
                rates(f"How long until READY, from a standing start, {title}?", direct, queue)
                for title, direct, queue in panels
            ),
            bursts(setup, seed),
            albums(setup, seed),
            outages(setup, seed),
            assumptions(setup, seed),
        ),
        panels,
    )


def _panels(setup: Setup, seed: int) -> Iterator[tuple[str, list[Held], list[Held]]]:
    for title, of in (("as deployed into a new account", setup), ("with raised limits", raised(setup))):
        yield title, held(of, seed), held(replace(of, queue=True), seed)


def duration(seconds: float) -> str:
    """For people."""
    if math.isnan(seconds):
        return "never"
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 20 else f"{seconds:.0f} s"
    minutes = seconds / 60
    if minutes < 120:
        return f"{minutes:.1f} min" if minutes < 20 else f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 48 * 60 else f"{minutes / 60 / 24:.1f} days"
