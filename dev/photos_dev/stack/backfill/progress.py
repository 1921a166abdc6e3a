"""What a backfill shows: how far it is, and what failed."""

from __future__ import annotations

import signal
import sys
import time

WIDTH = 30
# Pause between two lines where they cannot change in place.
EVERY_SECONDS = 10.0
# Time over which the rate is measured, so that it is the present one.
RATE_SECONDS = 60.0
# More failures than these are only in their file.
SHOWN_FAILURES = 100
# The exit status after Ctrl-C, as a shell has it.
INTERRUPTED = 128 + signal.SIGINT


class Bar:
    """A line that changes in place on a terminal, and is repeated elsewhere."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.in_place = sys.stderr.isatty()
        self.last_line = time.monotonic()

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def show(self, text: str) -> None:
        if self.in_place:
            print(f"\r{self.what}  {text}\033[K", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self.last_line >= EVERY_SECONDS:
            self.last_line = time.monotonic()
            print(f"{self.what}  {text}", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self.in_place:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


class Rate:
    """Tasks a second in the last minute."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, int]] = []

    def of(self, done: int, now: float) -> float:
        self.seen = [(at, count) for at, count in self.seen if now - at <= RATE_SECONDS]
        self.seen.append((now, done))
        began, before = self.seen[0]
        return (done - before) / (now - began) if now > began else 0.0


def line(done: int, failed: int, total: int, rate: float) -> str:
    """`[#####.....]  312 of 500  62 %  28.4/s  31 failed  7 s left`"""
    total = max(total, done)
    share = done / total if total else 1.0
    filled = int(share * WIDTH)
    parts = [
        f"[{'#' * filled}{'.' * (WIDTH - filled)}]",
        f"{done:,} of {total:,}",
        f"{int(share * 100)} %",
        f"{rate:.1f}/s",
        f"{failed:,} failed",
    ]
    if rate > 0 and done < total:
        parts.append(f"{duration((total - done) / rate)} left")
    return "  ".join(parts)


def duration(seconds: float) -> str:
    minutes, whole = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole} s" if minutes else f"{whole} s"


def show_failures(failures: list[tuple[str, str]], path: object) -> None:
    """Keys and reasons, and the file that has all of them."""
    for key, reason in failures[:SHOWN_FAILURES]:
        print(f"failed  {key}: {reason}")
    if len(failures) > SHOWN_FAILURES:
        print(f"... and {len(failures) - SHOWN_FAILURES:,} more, see {path}")
