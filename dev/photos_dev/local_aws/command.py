"""A command that runs against an AWS of its own, which ends with it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from typing import Protocol, TextIO

from photos_dev.local_aws.server import end_group
from photos_dev.problem import Problem

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Aws(Protocol):
    def start(self) -> str: ...

    def stop(self) -> None: ...


class Interrupted(BaseException):
    """A signal that asks this program to end."""

    def __init__(self, number: int) -> None:
        self.number = number


def while_it_runs(aws: Aws, use: Callable[[str], int]) -> int:
    """Starts an AWS, lets its endpoint be used, and stops it, whatever comes."""
    try:
        raise_on_signals()
        return use(aws.start())
    except Interrupted as interrupted:
        return 128 + interrupted.number
    finally:
        ignore_signals()  # so that the clean-up is not interrupted
        aws.stop()


def run(command: list[str], environment: dict[str, str], output: TextIO | None = None) -> int:
    """Runs a command in a process group of its own, so that signals reach all of it and no process stays."""
    try:
        process = subprocess.Popen(command, env=environment, stdout=output, start_new_session=True)
    except OSError as error:
        raise Problem(f"cannot run {command[0]}: {error.strerror}") from error
    try:
        code = process.wait()
    finally:
        end_group(process.pid, lambda: process.poll() is not None)
    return code if code >= 0 else 128 - code  # as a shell reports a signal


def raise_on_signals() -> None:
    def interrupt(number: int, frame: object) -> None:
        raise Interrupted(number)

    for number in SIGNALS:
        signal.signal(number, interrupt)


def ignore_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
