#!/usr/bin/env python3
"""Tries every letter of the dead-letter queue once more: `make redrive STACK=photos`.

The template has the queue as a disabled source of events of the function. This enables it, waits until
each letter was tried once, disables it again whatever happens, and says how many stayed: what fails again
stays in the queue, and can be seen there again after the queue's visibility timeout.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "local"))
from problem import Problem, exit_with

try:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError
except ModuleNotFoundError:
    sys.exit("error: run this with .venv/bin/python, which `make setup` installs")

# SQS counts what it holds in many places: only a number that stays the same is to be believed.
SAME_TIMES = 3


@dataclass
class Letters:
    """How many there are in the queue."""

    waiting: int
    in_flight: int

    @property
    def all(self) -> int:
        return self.waiting + self.in_flight


class Stack:
    """The function, its dead-letter queue, and what connects them."""

    def __init__(self, name: str) -> None:
        self.sqs, self.lambda_ = boto3.client("sqs"), boto3.client("lambda")
        outputs = stack_outputs(name)
        try:
            self.queue, self.function = outputs["DeadLetterQueueUrl"], outputs["ThumbnailFunctionName"]
        except KeyError as missing:
            raise Problem(f"stack {name} has no output {missing}: is it this one's?") from None
        self.mapping = self._mapping()

    def _mapping(self) -> str:
        queue = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])
        found = self.lambda_.list_event_source_mappings(
            FunctionName=self.function, EventSourceArn=queue["Attributes"]["QueueArn"]
        )["EventSourceMappings"]
        if not found:
            raise Problem(f"the dead-letter queue is no source of events of {self.function}")
        return found[0]["UUID"]

    def letters(self) -> Letters:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        return Letters(*(int(counts[name]) for name in names))

    def enable(self, is_enabled: bool) -> None:
        self.lambda_.update_event_source_mapping(UUID=self.mapping, Enabled=is_enabled)
        wanted = "Enabled" if is_enabled else "Disabled"
        while (state := self.lambda_.get_event_source_mapping(UUID=self.mapping)["State"]) != wanted:
            say(f"the source of events is {state}")
            time.sleep(1)


def main() -> int:
    parser = argparse.ArgumentParser(description="Tries every letter of the dead-letter queue once more.")
    parser.add_argument("--stack", default="photos", help="of the template (photos)")
    parser.add_argument("--every", type=float, default=5, metavar="SECONDS", help="looks so often (5)")
    parser.add_argument("--within", type=float, default=3600, metavar="SECONDS", help="gives up then (3600)")
    options = parser.parse_args()
    try:
        return redrive(Stack(options.stack), options.every, time.monotonic() + options.within)
    except (BotoCoreError, ClientError) as error:
        raise Problem(f"AWS refused a call: {error}") from error


def redrive(stack: Stack, every: float, until: float) -> int:
    before = stack.letters()
    if before.waiting == 0:
        print(f"no letter waits{in_flight(before)}")
        return 0
    say(f"{before.waiting} letters wait{in_flight(before)}")
    try:
        stack.enable(True)
        # Lambda takes letters one by one; one that fails again is not shown for the visibility timeout.
        settled(stack, lambda letters: letters.waiting == 0, every, until)
    finally:
        stack.enable(False)
    after = settled(stack, lambda _: True, every, until)
    done = before.all - after.all
    print(f"{done} of {before.waiting} letters are done, {after.all} stayed; the source of events is disabled")
    if after.all:
        print(f"why: the lines of {stack.function}'s log with the outcome failed or retry")
    return 0


def settled(stack: Stack, is_reached: Callable[[Letters], bool], every: float, until: float) -> Letters:
    """The counts once they have reached what is waited for and do not change any more."""
    last, same = stack.letters(), 0
    while same < SAME_TIMES:
        if time.monotonic() > until:
            raise Problem(f"{last.waiting} letters still wait; what was tried is done or stays in the queue")
        time.sleep(every)
        now = stack.letters()
        same = same + 1 if now == last and is_reached(now) else 0
        say(f"{now.waiting} wait, {now.in_flight} are tried or have failed again")
        last = now
    return last


def in_flight(letters: Letters) -> str:
    """Those that are being tried, or were read by somebody, and have not come back yet."""
    return f", {letters.in_flight} more are not shown at the moment" if letters.in_flight else ""


def stack_outputs(name: str) -> dict[str, Any]:
    try:
        stacks = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        raise Problem(f"there is no stack {name} here: {error}") from None
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    exit_with(main)
