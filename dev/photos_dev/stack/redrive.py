"""Tries every letter of the dead-letter queue once more: `make redrive STACK=photos`.

The template has the queue as a disabled source of events of the function. This enables it, waits until
each letter was tried once, disables it again whatever happens, and says how many stayed: what fails again
stays in the queue, and can be seen there again after the queue's visibility timeout.
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

from photos_dev.problem import Problem, exit_with

# SQS counts what it holds in many places: only a number that stays the same is to be believed.
SAME_TIMES = 3
# While a source of events changes it takes no other change (AWS Lambda API Reference,
# "UpdateEventSourceMapping"): it is asked again for so long.
BUSY = ("ResourceInUseException", "ResourceConflictException")
BUSY_SECONDS = 60
# For Lambda to have a source of events Enabled or Disabled, which takes it some seconds.
CHANGE_SECONDS = 300


@dataclass
class Letters:
    """How many there are in the queue."""

    waiting: int
    in_flight: int

    @property
    def all(self) -> int:
        return self.waiting + self.in_flight


@dataclass
class Stack:
    """The function, its dead-letter queue, and what connects them."""

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
            raise Problem(f"stack {name} has no output {missing}: is it this one's?") from None
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
        found = lambda_.list_event_source_mappings(
            FunctionName=function, EventSourceArn=attributes["QueueArn"]
        )["EventSourceMappings"]
        if not found:
            raise Problem(f"the dead-letter queue is no source of events of {function}")
        return Stack(sqs, lambda_, queue, function, found[0]["UUID"])

    def letters(self) -> Letters:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        return Letters(*(int(counts[name]) for name in names))

    def enable(self) -> None:
        self._change(True)

    def disable(self) -> None:
        """Does so whatever state the source is in, or says how it is done by hand."""
        try:
            self._change(False)
        except (BotoCoreError, ClientError) as error:
            raise Problem(f"the source of events could not be disabled: {error}. {self.by_hand}") from error
        except KeyboardInterrupt:
            say(f"interrupted while the source of events was disabled. {self.by_hand}")
            raise

    @property
    def by_hand(self) -> str:
        return f"To disable it: aws lambda update-event-source-mapping --uuid {self.mapping} --no-enabled"

    def _change(self, is_enabled: bool) -> None:
        self._ask_for(is_enabled)
        wanted = "Enabled" if is_enabled else "Disabled"
        until = time.monotonic() + CHANGE_SECONDS
        while (state := self.lambda_.get_event_source_mapping(UUID=self.mapping)["State"]) != wanted:
            if time.monotonic() > until:
                raise Problem(
                    f"the source of events is {state} and not {wanted} after {CHANGE_SECONDS} s. {self.by_hand}"
                )
            say(f"the source of events is {state}")
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
                        f"the source of events has taken no change for {BUSY_SECONDS} s: {error}. {self.by_hand}"
                    ) from error
            say("the source of events is changing, and takes no other change yet")
            time.sleep(1)


def main() -> int:
    parser = argparse.ArgumentParser(description="Tries every letter of the dead-letter queue once more.")
    parser.add_argument("--stack", default="photos", help="of the template (photos)")
    parser.add_argument("--every", type=float, default=5, metavar="SECONDS", help="looks so often (5)")
    parser.add_argument("--within", type=float, default=3600, metavar="SECONDS", help="gives up then (3600)")
    options = parser.parse_args()
    # As Ctrl-C: the source of events is disabled before the end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return redrive(Stack.named(options.stack), options.every, time.monotonic() + options.within)
    except (BotoCoreError, ClientError) as error:
        raise Problem(f"AWS refused a call: {error}") from error


def redrive(stack: Stack, every: float, until: float) -> int:
    before = stack.letters()
    if before.waiting == 0:
        print(f"no letter waits{in_flight(before)}")
        return 0
    say(f"{before.waiting} letters wait{in_flight(before)}")
    try:
        stack.enable()
        # Lambda takes letters one by one; one that fails again is not shown for the visibility timeout.
        settled(stack, lambda letters: letters.waiting == 0, every, until)
    finally:
        stack.disable()
    after = settled(stack, lambda _: True, every, time.monotonic() + max(60, 10 * SAME_TIMES * every))
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
            raise Problem(
                f"{last.waiting} letters still wait; what was tried is done or stays in the queue."
                " Run make redrive again, with --within for more time"
            )
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
