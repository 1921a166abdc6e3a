"""Programs that the comparison starts and ends."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from photos_dev.benches.load.costs import ColdStart
from photos_dev.benches.processes import cpu_seconds
from photos_dev.paths import ROOT
from photos_dev.problem import Problem

STOP_SECONDS = 10


class Program:
    """A program that runs between `with` and its end."""

    def __init__(
        self,
        command: list[str],
        log: Path,
        environment: dict[str, str] | None = None,
        directory: Path | None = None,
        is_heard: bool = True,
    ) -> None:
        """Its standard error goes to the log, and its standard output too unless `is_heard`."""
        self.name, self.log = command[0], log
        self.started = time.monotonic()
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                command,
                cwd=directory,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if is_heard else errors,
                stderr=errors,
                text=True,
            )

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def pid(self) -> int:
        return self.process.pid

    def asked(self, question: str) -> str:
        """Sends the program a line; returns the line that it answers."""
        print(question, file=self.process.stdin, flush=True)
        return self.first_line()

    def first_line(self) -> str:
        """The line that the program prints when it is ready."""
        assert self.process.stdout
        line = self.process.stdout.readline().strip()
        if not line:
            raise Problem(f"{self.name} did not start, see {self.log.relative_to(ROOT)}")
        return line

    def cold_start(self) -> ColdStart:
        """The cold start, if this is called just when the program is ready."""
        return ColdStart(cpu_seconds(self.pid) * 1000, (time.monotonic() - self.started) * 1000)
