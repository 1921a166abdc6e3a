"""Makes every call of the function to AWS fail in every way, for some hundred photos, and counts the photos by
outcome: `make faults COUNT=600 SEED=1`.

mitmproxy stands between the function and the local AWS. For most photos, calls of one kind meet one fault; each
pair has its turn. For the others, any call meets any fault. Half of the photos have one rendition, the others four.
At the end, every photo must have its renditions and its item, or a dead letter, and notices must have told of it. Then
`make redrive` tries the dead letters once more without faults, and only those about unprocessable photos may be left.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from photos_dev.arguments import number, whole
from photos_dev.faults import plan, report
from photos_dev.faults.driver import Driver
from photos_dev.faults.judge import BROKEN, End, Last, World, explain, rewritten, state, strays, untold
from photos_dev.faults.plan import IN_TURN_RATE, MIXED_RATE
from photos_dev.faults.proxy import Proxy
from photos_dev.faults.stack import Stack
from photos_dev.faults.stories import UNPROCESSABLE, Photo, choose, in_turn
from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import Clients
from photos_dev.local_aws.server import endpoint
from photos_dev.problem import Problem, exit_with


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes every call of the function to AWS fail in every way.")
    parser.add_argument("--count", type=whole(1), default=600, help="number of photos (default: 600)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the faults (default: 1)")
    parser.add_argument("--within", type=number(1), default=480, metavar="SECONDS", help="time limit (default: 480)")
    parser.add_argument("--renditions", type=int, choices=plan.RENDITIONS, action="append", metavar="NUMBER",
                        help="number of renditions of each photo: 1, 4, or both, half of the photos each (default)")
    parser.add_argument("--waits", action="store_true", help="make each call wait as long as it would in AWS")
    options = parser.parse_args()
    started = time.monotonic()
    aws = Clients(endpoint())
    with Proxy(aws.endpoint, options.seed, options.waits) as proxy:
        drivers = [
            Driver(Stack(aws, proxy.endpoint, number), proxy, options.seed, started + options.within)
            for number in options.renditions or plan.RENDITIONS
        ]
        wrong = run(drivers, proxy, options.count, options.seed)
    print(f"{time.monotonic() - started:.0f} s")
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    return 1 if wrong else 0


@dataclass
class Ends:
    """The ends of the photos of one or several stacks, and what is wrong with them."""

    before: dict[str, End] = field(default_factory=dict)
    after: dict[str, End] = field(default_factory=dict)
    # Photos in a dead letter by Lambda.
    waiting: set[str] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)
    dead_letters_left: int = 0
    # The items of all notices.
    notices: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Ends) -> None:
        self.before |= other.before
        self.after |= other.after
        self.waiting |= other.waiting
        self.reasons += other.reasons
        self.dead_letters_left += other.dead_letters_left
        self.notices += other.notices
        self.wrong += other.wrong


def run(drivers: list[Driver], proxy: Proxy, count: int, seed: int) -> list[str]:
    """Runs all photos and prints the report; returns the broken promises."""
    print(f"{count} photos, seed {seed}: for three quarters, {IN_TURN_RATE:.0%} of the calls of one kind meet "
          f"one fault;\nfor the others, {MIXED_RATE:.0%} of all calls meet any fault")
    ends = Ends()
    for number, driver in enumerate(drivers):
        ends.add(run_one(driver, count, number, len(drivers)))
    calls = proxy.calls()
    written_again, differing = rewritten(calls)
    report.faults(calls)
    report.outcomes(ends.before, ends.after, ends.waiting)
    report.dead_letters(ends.reasons, ends.dead_letters_left, written_again)
    report.notices(ends.notices)
    return [*report.untried(calls), *proxy.complaints(), *differing, *ends.wrong]


def run_one(driver: Driver, count: int, number: int, of: int) -> Ends:
    """Runs every photo whose turn comes with this driver, one `of` several."""
    spared = driver.upload_unharmed()
    unharmed = World.of(driver.stack)
    if failed := broken("without faults", judge_all(driver.last_states(spared), unharmed, unharmed)):
        raise Problem(failed[0])
    driver.stack.forget_dead_letters()
    if not driver.proxy.calls():
        raise Problem("the function does not call AWS through the proxy: no fault can be injected")
    real, quarter, *small = [photo.kind for photo in spared if UNPROCESSABLE not in photo.story]
    unprocessable = [photo.kind for photo in spared if UNPROCESSABLE in photo.story]

    kinds = in_turn(real, quarter, small)
    chosen = choose(count, driver.seed, kinds, unprocessable)
    # All kinds of files take turns before it is the turn of the next driver.
    photos = [photo for photo in chosen if photo.number // len(kinds) % of == number]
    driver.live(photos, f"{driver.what}, with faults")
    last = driver.last_states(photos)
    calls, faulty = driver.proxy.calls(), World.of(driver.stack)
    waiting = {key for key in last if any(dead_letter.is_by_lambda for dead_letter in faulty.dead_letters.get(key, []))}
    before = judge_all(last, faulty, unharmed)
    reasons, unexplained = explain_all(photos, faulty, calls, driver.events)

    driver.redrive()
    final = World.of(driver.stack)
    after = judge_all(last, final, unharmed)
    notices = driver.notices(faulty.items, final.items)
    left = sum(len(final.dead_letters.get(key, [])) for key in last)
    return Ends(before, after, waiting, reasons, left, notices, [
        *(f"{key}: its events have not ended" for key in driver.endless),
        *broken("with faults", {key: end for key, end in before.items() if key not in waiting}),
        *unexplained,
        *broken("after the redrive", after),
        *strays(faulty, final, last),
        *(f"{key}: no notice tells its last state with faults" for key in untold(faulty.items, notices)),
        *(f"{key}: no notice tells its last state after the redrive" for key in untold(final.items, notices)),
    ])


def judge_all(last: dict[str, Last], world: World, unharmed: World) -> dict[str, End]:
    return {key: state(key, its_last, world, unharmed) for key, its_last in last.items()}


def broken(when: str, ends: dict[str, End]) -> list[str]:
    return [f"{key}: {end.verdict} {when}: {end.why}" for key, end in ends.items() if end.verdict in BROKEN]


def explain_all(
    photos: list[Photo], world: World, calls: list[dict[str, Any]], events: Counter[str]
) -> tuple[Counter[str], list[str]]:
    about = defaultdict(list)
    for call in calls:
        about[call["key"]].append(call)
    reasons, wrong = Counter[str](), list[str]()
    for photo in photos:
        key, dead_letters = photo.key, world.dead_letters.get(photo.key, [])
        why, unexplained = explain(key, dead_letters, about[key], events[key], UNPROCESSABLE in photo.story)
        reasons += why
        wrong += unexplained
    return reasons, wrong


if __name__ == "__main__":
    exit_with(on_local_aws(main))
