"""The output of a run: progress, and at the end the faults and the outcomes."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from typing import Any

from photos_dev.faults import plan
from photos_dev.faults.judge import BROKEN, FIRST, HALF, PROMISED, UNANSWERED, UNWRITTEN, WAITING, End

IS_TERMINAL = sys.stdout.isatty() and "NO_COLOR" not in os.environ
LINE_SECONDS = 10


class Progress:
    """A line that changes on a terminal; elsewhere, a line now and then."""

    def __init__(self, what: str, photos: int) -> None:
        self.what, self.photos = what, photos
        self.started = self.shown = time.monotonic()

    def show(self, left: int) -> None:
        now = time.monotonic()
        if not IS_TERMINAL and now < self.shown + LINE_SECONDS:
            return
        self.shown = now
        done = self.photos - left
        text = f"{self.what}: {done} of {self.photos} photos, {now - self.started:.0f} s"
        print(f"\r{text}\033[K" if IS_TERMINAL else text, end="" if IS_TERMINAL else "\n", flush=True)

    def end(self) -> None:
        if IS_TERMINAL:
            print("\r\033[K", end="", flush=True)


def faults(calls: list[dict[str, Any]]) -> None:
    """Prints how often each call met each fault."""
    counts = Counter((call["operation"], call["fault"]) for call in calls)
    made = Counter(call["operation"] for call in calls)
    print(f"\n{'faults injected':16}{'calls':>7}" + "".join(f"{fault:>11}" for fault in plan.FAULTS))
    for operation in plan.OPERATIONS:
        possible = plan.faults_of(operation)
        cells = [str(counts[operation, fault]) if fault in possible else "-" for fault in plan.FAULTS]
        print(f"{operation:16}{made[operation]:7}" + "".join(f"{cell:>11}" for cell in cells))


def untried(calls: list[dict[str, Any]]) -> list[str]:
    """Errors about calls and faults that the run has not tested."""
    met = {(call["operation"], call["fault"]) for call in calls}
    unknown = {operation for operation, _ in met if operation not in plan.OPERATIONS}
    missing = [
        f"no {operation} met the fault {fault}: run more photos, COUNT=..."
        for operation in plan.OPERATIONS
        for fault in plan.faults_of(operation)
        if (operation, fault) not in met
    ]
    return missing + [f"{operation} never meets a fault: add it to OPERATIONS in plan.py" for operation in unknown]


def outcomes(before: dict[str, End], after: dict[str, End], waiting: set[str]) -> None:
    """Prints the photos by outcome. Photos in a dead letter by Lambda reach theirs only when it is tried again."""
    ends = Counter(WAITING if key in waiting else end.verdict for key, end in before.items())
    last = Counter(end.verdict for end in after.values())
    print()
    row("photos", "with faults", "after redrive")
    for verdict in (*PROMISED, *BROKEN):
        row(verdict, ends[verdict], last[verdict])
        if verdict == WAITING:
            row("  of which half-written until then", sum(before[key].verdict == HALF for key in waiting))


def dead_letters(reasons: Counter[str], stayed: int, written_again: int) -> None:
    print()
    row("dead letters", reasons.total(), stayed)
    row("about unprocessable uploads", reasons[FIRST])
    row("  again, as SQS's answer was lost", reasons[UNANSWERED])
    row("  again, as the item was not written", reasons[UNWRITTEN])
    row("by Lambda", reasons[WAITING])
    print()
    row("renditions written more than once", written_again)


def notices(items: list[dict[str, Any]]) -> None:
    """Prints what the topic has told."""
    print()
    row("notices", len(items))
    for status in ("READY", "FAILED", "DELETED"):
        row(f"  {status}", sum(item["status"] == status for item in items))
    row("photos told of", len({item["photoKey"] for item in items}))


def row(label: str, *cells: object) -> None:
    print(f"{label:38}" + "".join(f"{cell!s:>15}" for cell in cells))
