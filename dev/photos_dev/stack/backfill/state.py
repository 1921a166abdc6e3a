"""How far a direct backfill has come: a file, so that the next one goes on there.

Tasks are finished in any order, but are counted in the order of the listing: all keys up to `after` are done, and no
other key is in the counts. So what a killed backfill has done beyond that is done again, and not counted twice.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from photos_dev.paths import ROOT
from photos_dev.problem import Problem

FOLDER = ROOT / ".local/backfill"
KEPT = ("fingerprint", "after", "succeeded", "failed")


@dataclass
class State:
    path: Path
    # Of the target: what was done for another one does not count.
    fingerprint: str
    after: str = ""
    succeeded: int = 0
    failed: int = 0
    # Failures that are not in the file yet.
    new_failures: list[dict[str, str]] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.succeeded + self.failed

    @property
    def failures_path(self) -> Path:
        return self.path.with_suffix(".failed.jsonl")

    def finished(self, key: str, reason: str | None) -> None:
        """The next key in the order of the listing is done; `reason` says why it failed."""
        self.after = key
        if reason is None:
            self.succeeded += 1
        else:
            self.failed += 1
            self.new_failures.append({"key": key, "reason": reason})

    def save(self) -> None:
        # Failures first: the counts say how many of them there are.
        if self.new_failures:
            with self.failures_path.open("a") as file:
                file.writelines(json.dumps(failure) + "\n" for failure in self.new_failures)
            self.new_failures = []
        kept = {name: getattr(self, name) for name in KEPT}
        unfinished = self.path.with_suffix(".new")
        unfinished.write_text(json.dumps(kept) + "\n")
        os.replace(unfinished, self.path)

    def failures(self) -> list[tuple[str, str]]:
        """Keys and reasons, of all runs of this backfill."""
        if not self.failures_path.exists():
            return []
        found = [json.loads(line) for line in self.failures_path.read_text().splitlines()]
        return [(failure["key"], failure["reason"]) for failure in found]

    def forget_uncounted_failures(self) -> None:
        """Removes those that a killed run wrote without counting them: their tasks are done again."""
        if self.failures_path.exists():
            lines = self.failures_path.read_text().splitlines(keepends=True)
            self.failures_path.write_text("".join(lines[: self.failed]))

    def forget(self) -> None:
        """The next backfill begins anew. The failures stay readable until then."""
        self.path.unlink(missing_ok=True)


def path_of(stack: str, prefix: str, folder: Path = FOLDER) -> Path:
    """The file of a stack and a prefix, which may be longer than a file's name."""
    name = hashlib.sha256(prefix.encode()).hexdigest()[:12] if prefix else "all"
    return folder / f"{stack}-{name}.json"


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Two backfills of the same photos would overwrite each other's state."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem("another backfill of this stack and prefix is running on this machine") from None
        yield


def load(path: Path, fingerprint: str, restart: bool) -> tuple[State, str]:
    """The state to begin with, and what to say about it."""
    fresh = State(path, fingerprint)
    kept = read(path)
    if kept and not restart and kept["fingerprint"] == fingerprint:
        state = State(path, **kept)
        state.forget_uncounted_failures()
        return state, f"going on after {state.after!r}: {state.done:,} are done, {state.failed:,} of them failed"
    fresh.failures_path.unlink(missing_ok=True)
    fresh.forget()
    changed = kept and not restart
    return fresh, "beginning anew: the settings or the code have changed since the last run" if changed else ""


def read(path: Path) -> dict | None:
    try:
        kept = json.loads(path.read_text())
        return {name: kept[name] for name in KEPT}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Problem(f"{path} is no state of a backfill ({error}): begin anew with --restart, or remove it") from error
