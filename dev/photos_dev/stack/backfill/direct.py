"""Invokes the function itself, as S3 Batch Operations would: for small buckets, and for the local AWS, which has none.

Each invocation has one task, and some run at once. Ctrl-C lets those in flight finish; the next run goes on behind
them.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from botocore.exceptions import BotoCoreError, ClientError

from photos_dev.problem import Problem
from photos_dev.stack.backfill.progress import INTERRUPTED, Bar, Rate, line, show_failures
from photos_dev.stack.backfill.state import State
from photos_dev.stack.backfill.target import Target

# Pauses before a task is tried again, each shortened by up to a half at random, so that tasks that failed together
# are not tried together.
PAUSES = (1.0, 2.0, 4.0, 8.0)
# Tasks, for each that runs at once, by which one may be ahead of the slowest.
AHEAD = 16
SAVE_SECONDS = 1.0
SHOW_SECONDS = 0.2

# Lambda's refusals that a retry can cure (AWS Lambda API Reference, "Invoke", errors). All others hold for every task.
BUSY = ("TooManyRequestsException", "ServiceException", "ResourceConflictException", "ResourceNotReadyException")


class Stopped(Exception):
    """The task is given up because the backfill is to end: the next run does it."""


@dataclass(frozen=True)
class Result:
    """A task's result code and text, in the words of S3 Batch Operations."""

    code: str
    text: str = ""


def task_event(bucket: str, key: str) -> dict[str, Any]:
    """An event with one task, of schema 2.0, as src/event/batch.rs reads it."""
    number = str(uuid.uuid4())
    return {
        "invocationSchemaVersion": "2.0",
        "invocationId": number,
        "job": {"id": "direct", "userArguments": {}},
        "tasks": [{"taskId": number, "s3Key": quote_plus(key, safe="/"), "s3VersionId": None, "s3Bucket": bucket}],
    }


def result_of(answer: Any) -> Result:
    """The result in the function's answer to an event with one task."""
    match answer:
        case {"results": [{"resultCode": "Succeeded" | "TemporaryFailure" | "PermanentFailure" as code, **rest}]}:
            return Result(code, str(rest.get("resultString", "")))
    raise Problem(f"the function does not answer as S3 Batch Operations expects: {json.dumps(answer)[:300]}")


@dataclass
class Invoker:
    target: Target
    stop: threading.Event

    def do(self, key: str) -> str | None:
        """Does a task; returns why it failed."""
        pauses = iter(PAUSES)
        while True:
            result = self.invoke(key)
            if result.code == "Succeeded":
                return None
            pause = next(pauses, None)
            if result.code == "PermanentFailure":
                return result.text or "the function gave no reason"
            if pause is None:
                return f"after {len(PAUSES) + 1} tries: {result.text}"
            if self.stop.wait(pause * random.uniform(0.5, 1)):
                raise Stopped

    def invoke(self, key: str) -> Result:
        event = json.dumps(task_event(self.target.bucket, key))
        try:
            answer = self.target.lambda_.invoke(FunctionName=self.target.function_arn, Payload=event)
        except ClientError as error:
            if error.response["Error"]["Code"] in BUSY:
                return Result("TemporaryFailure", str(error))
            raise
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:  # a crash or a timeout
            return Result("TemporaryFailure", f"the invocation failed: {json.dumps(payload)[:300]}")
        return result_of(payload)


@dataclass
class Backfill:
    """The tasks that were begun, in the order of the listing, and the state up to which all are finished."""

    state: State
    total: int
    do: Callable[[str], str | None]
    stop: threading.Event
    at_once: int

    def __post_init__(self) -> None:
        self.pending: deque[tuple[str, Future[str | None]]] = deque()
        self.rate = Rate()
        self.saved_at = self.shown_at = 0.0
        self.problem: BaseException | None = None

    def run(self, keys: Iterator[str]) -> None:
        """Does the tasks of these keys, until all are done or the backfill is to end."""
        with ThreadPoolExecutor(self.at_once) as pool, Bar("backfill") as bar:
            try:
                while not self.stop.is_set() and (key := next(keys, None)) is not None:
                    self.pending.append((key, pool.submit(self.do, key)))
                    self.wait_for(bar, self.at_once * AHEAD)
            except (BotoCoreError, ClientError) as error:  # of the listing
                self.end(error)
            self.wait_for(bar, 1)
            self.save()
        if self.problem:
            raise self.problem

    def wait_for(self, bar: Bar, fewer_than: int) -> None:
        """Waits until fewer tasks than this are unfinished or behind one that is."""
        while True:
            if self.stop.is_set():
                self.cancel_those_not_begun()
                fewer_than = 1
            self.collect()
            self.show(bar)
            if len(self.pending) < fewer_than:
                return
            unfinished = [future for _, future in self.pending if not future.done()]
            wait(unfinished, timeout=SHOW_SECONDS, return_when=FIRST_COMPLETED)

    def end(self, problem: BaseException | None) -> None:
        self.problem = self.problem or problem
        self.stop.set()
        self.cancel_those_not_begun()

    def cancel_those_not_begun(self) -> None:
        # From the last one on: the pool begins the first, and leaves no gap before those that it begins.
        for _, future in reversed(self.pending):
            future.cancel()

    def collect(self) -> None:
        """Counts the finished tasks that no unfinished one is before."""
        while self.pending and self.pending[0][1].done():
            key, future = self.pending.popleft()
            error = None if future.cancelled() else future.exception()
            if future.cancelled() or error:
                # It is not done, so the next run begins with it, and does again what is behind it.
                self.end(None if isinstance(error, Stopped) else error)
                wait([later for _, later in self.pending if not later.cancelled()])
                self.pending.clear()
            else:
                self.state.finished(key, future.result())
        if time.monotonic() - self.saved_at >= SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        self.state.save()
        self.saved_at = time.monotonic()

    def show(self, bar: Bar) -> None:
        now = time.monotonic()
        if now - self.shown_at < SHOW_SECONDS:
            return
        self.shown_at = now
        ahead = sum(future.done() and not future.cancelled() for _, future in self.pending)
        done = self.state.done + ahead
        bar.show(line(done, self.state.failed, self.total, self.rate.of(done, now)))


@contextmanager
def stopped_by_signals(stop: threading.Event, say: Callable[[str], None]) -> Iterator[None]:
    """The first signal lets the tasks in flight finish, the second does not."""

    def on_signal(number: int, _: object) -> None:
        if stop.is_set():
            say("the tasks in flight are dropped: the next run does them again")
            os._exit(128 + number)
        stop.set()
        say("\nthe tasks in flight are finished first; Ctrl-C again drops them")

    former = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def keys_after(target: Target, after: str) -> Iterator[str]:
    for page in target.pages(after):
        yield from (found.key for found in page)


def run(target: Target, state: State, total: int, at_once: int, say: Callable[[str], None]) -> int:
    stop = threading.Event()
    backfill = Backfill(state, total, Invoker(target, stop).do, stop, at_once)
    began, before = time.monotonic(), state.done
    try:
        with stopped_by_signals(stop, say):
            backfill.run(keys_after(target, state.after))
    except (BotoCoreError, ClientError, Problem) as error:
        raise Problem(f"{error}\n{state.done:,} of {total:,} are done. The same command goes on from there") from error
    seconds = time.monotonic() - began
    rate = (state.done - before) / seconds if seconds else 0
    if stop.is_set():
        print(f"interrupted: {state.done:,} of {total:,} are done, {state.failed:,} of them failed")
        print("The same command goes on from there; --restart (RESTART=1) begins anew")
        return INTERRUPTED
    show_failures(state.failures(), state.failures_path)
    print(f"{state.succeeded:,} of {state.done:,} tasks succeeded, {state.failed:,} failed; {seconds:.0f} s, {rate:.1f}/s")
    state.forget()
    return 1 if state.failed else 0
