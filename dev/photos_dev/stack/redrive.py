"""Tries every dead letter once more: `make redrive STACK=photos`.

In the template, the dead-letter queue is a disabled event source of the function. This program enables it, waits
until each dead letter was tried once, and disables it again whatever happens. It prints how many are left:
dead letters that fail again stay in the queue, and are visible again after its visibility timeout.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from photos_dev.arguments import number
from photos_dev.problem import Problem, exit_with
from photos_dev.stack.outputs import stack_outputs

# SQS's counts are approximate, so a count is only believed once it has stayed the same this often.
SAME_TIMES = 3
# While an event source changes it accepts no other change (AWS Lambda API Reference,
# "UpdateEventSourceMapping"). The change is asked for again for this long.
BUSY = ("ResourceInUseException", "ResourceConflictException")
BUSY_SECONDS = 60
# Longest time for Lambda to enable or disable an event source, which takes it some seconds.
CHANGE_SECONDS = 300


@dataclass
class DeadLetters:
    """Numbers of dead letters in the queue."""

    waiting: int
    in_flight: int

    @property
    def all(self) -> int:
        return self.waiting + self.in_flight


@dataclass
class Stack:
    """The function, its dead-letter queue, and the event source that connects them."""

    sqs: Any
    lambda_: Any
    queue: str
    function: str
    mapping: str

    @staticmethod
    def named(name: str) -> Stack:
        sqs, lambda_ = boto3.client("sqs"), boto3.client("lambda")
        outputs = stack_outputs(name)
        try:
            queue, function = outputs["DeadLetterQueueUrl"], outputs["ThumbnailFunctionName"]
        except KeyError as missing:
            raise Problem(f"stack {name} has no output {missing}: name a stack of this template by --stack") from None
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
        found = lambda_.list_event_source_mappings(
            FunctionName=function, EventSourceArn=attributes["QueueArn"]
        )["EventSourceMappings"]
        if not found:
            raise Problem(f"the dead-letter queue is not an event source of {function}: deploy the template again")
        return Stack(sqs, lambda_, queue, function, found[0]["UUID"])

    def dead_letters(self) -> DeadLetters:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        return DeadLetters(*(int(counts[name]) for name in names))

    def enable(self) -> None:
        self._change(True)

    def disable(self) -> None:
        """Disables the event source whatever state it is in, or says how to do it by hand."""
        try:
            self._change(False)
        except (BotoCoreError, ClientError) as error:
            raise Problem(f"cannot disable the event source: {error}. {self.by_hand}") from error
        except KeyboardInterrupt:
            say(f"interrupted while disabling the event source. {self.by_hand}")
            raise

    @property
    def by_hand(self) -> str:
        return f"Disable it yourself: aws lambda update-event-source-mapping --uuid {self.mapping} --no-enabled"

    def _change(self, is_enabled: bool) -> None:
        self._ask_for(is_enabled)
        wanted = "Enabled" if is_enabled else "Disabled"
        until = time.monotonic() + CHANGE_SECONDS
        while (state := self.lambda_.get_event_source_mapping(UUID=self.mapping)["State"]) != wanted:
            if time.monotonic() > until:
                raise Problem(
                    f"the event source is {state}, not {wanted}, after {CHANGE_SECONDS} s. {self.by_hand}"
                )
            say(f"the event source is {state}")
            time.sleep(1)

    def _ask_for(self, is_enabled: bool) -> None:
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self.lambda_.update_event_source_mapping(UUID=self.mapping, Enabled=is_enabled)
                return
            except ClientError as error:
                if error.response["Error"]["Code"] not in BUSY:
                    raise
                if time.monotonic() > until:
                    raise Problem(
                        f"the event source has accepted no change for {BUSY_SECONDS} s: {error}. {self.by_hand}"
                    ) from error
            say("the event source is changing, and accepts no other change yet")
            time.sleep(1)


def main() -> int:
    parser = argparse.ArgumentParser(description="Tries every dead letter once more.")
    parser.add_argument("--stack", default="photos", metavar="NAME", help="name of the stack (default: photos)")
    parser.add_argument("--every", type=number(0.1), default=5, metavar="SECONDS", help="time between two looks (default: 5)")
    parser.add_argument("--within", type=number(1), default=3600, metavar="SECONDS", help="time limit (default: 3600)")
    options = parser.parse_args()
    # Like Ctrl-C, so that the event source is disabled before the end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return redrive(Stack.named(options.stack), options.every, time.monotonic() + options.within)
    except (BotoCoreError, ClientError) as error:
        raise Problem(f"AWS refused a call: {error}") from error


def redrive(stack: Stack, every: float, until: float) -> int:
    before = stack.dead_letters()
    if before.waiting == 0:
        print(f"no dead letters{in_flight(before)}")
        return 0
    say(f"dead letters: {before.waiting}{in_flight(before)}")
    try:
        stack.enable()
        # Lambda takes messages one by one. One that fails again stays invisible for the visibility timeout.
        settled(stack, lambda counts: counts.waiting == 0, every, until)
    finally:
        stack.disable()
    after = settled(stack, lambda _: True, every, time.monotonic() + max(60, 10 * SAME_TIMES * every))
    done = before.all - after.all
    print(f"{done} of {before.waiting} dead letters are done, {after.all} left; the event source is disabled")
    if after.all:
        print(f"The log of {stack.function} says why: lines with the outcome failed or retry")
    return 0


def settled(stack: Stack, is_reached: Callable[[DeadLetters], bool], every: float, until: float) -> DeadLetters:
    """The counts, once `is_reached` holds and they have stopped changing."""
    last, same = stack.dead_letters(), 0
    while same < SAME_TIMES:
        if time.monotonic() > until:
            raise Problem(
                f"{last.waiting} dead letters are left when the time is over."
                " Run make redrive again, or raise --within"
            )
        time.sleep(every)
        now = stack.dead_letters()
        same = same + 1 if now == last and is_reached(now) else 0
        say(f"{now.waiting} waiting, {now.in_flight} being tried or failed again")
        last = now
    return last


def in_flight(counts: DeadLetters) -> str:
    """Dead letters that were received, by the function or another reader, and are still invisible."""
    return f", {counts.in_flight} invisible at the moment" if counts.in_flight else ""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    exit_with(main)
