"""Measures all figures of README.md and docs/ anew, one after another: `make figures`.

Each command writes its own pages and charts. What it prints is kept in target/figures. Where a page shows the whole
output of before, or a table with the same columns, the new one takes its place. What people have copied into other
tables, `make test` compares with the pages that the commands write; sentences have to be read.

Other work on the machine would be measured too, so each command waits until there is none.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from photos_dev.benches.machine import processor
from photos_dev.benches.processes import Machine
from photos_dev.paths import DOCS, PHOTO, ROOT
from photos_dev.problem import Problem, exit_with

OUTPUTS = ROOT / "target/figures"
# Other work may take this share of the machine's CPU.
QUIET = 0.05
LOOK_SECONDS = 3
PATIENCE_SECONDS = 300
# Each call waits as in AWS.
WAITS = "WAITS=1"
# A table's columns, and its rows.
TABLE = re.compile(r"(?m)^(\|.*\n\|[-:|]+\n)((?:\|.*\n)+)")


@dataclass(frozen=True)
class Command:
    target: str
    variables: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The command as pages show it, without what differs from machine to machine."""
        return " ".join([self.target, *(variable for variable in self.variables if variable == WAITS)])

    @property
    def output(self) -> Path:
        return OUTPUTS / f"{self.shown.replace(' ', '-')}.txt"


def commands(photos_dir: Path | None) -> list[Command]:
    """What measures, in an order in which each finds what it needs: the page about scale takes its constants from that
    about cost."""
    directory = (f"PHOTOS_DIR={photos_dir}",) if photos_dir else ()
    further = sorted(photos_dir.glob("*.jpg")) if photos_dir else []
    photos = f"PHOTOS={' '.join(str(photo) for photo in (PHOTO, *further))}"
    return [
        Command("bench-check", ("UPDATE=1",)),
        Command("measure"),
        Command("latency", directory),
        Command("cost"),
        Command("scale"),
        Command("bench-renditions"),
        Command("quality", (photos,)),
        Command("bench", (photos, "RUNS=3")),
        Command("growth"),
        Command("load"),
        Command("load-compare", directory),
        Command("soak"),
        Command("soak", (WAITS,)),
        Command("backfill-check"),
        Command("faults"),
        Command("faults", (WAITS,)),
        Command("test-page", ("PICTURES=1",)),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, metavar="DIR", help="folder of further JPEGs of the test photo's size")
    parser.add_argument("--from", dest="first", metavar="COMMAND", help="go on with this command")
    options = parser.parse_args()
    if options.photos and not options.photos.is_dir():
        raise Problem(f"{options.photos} is no folder")
    all_commands = commands(options.photos and options.photos.resolve())
    OUTPUTS.mkdir(parents=True, exist_ok=True)
    print(f"{processor()}, {os.cpu_count()} cores; outputs in {OUTPUTS.relative_to(ROOT)}", flush=True)
    failed = [command.shown for command in from_command(all_commands, options.first) if not measured(command)]
    for page in (ROOT / "README.md", *sorted(DOCS.glob("*.md"))):
        renew(page, all_commands)
    if failed:
        raise Problem(f"these failed, target/figures says why: {', '.join(failed)}")
    return 0


def from_command(all_commands: list[Command], first: str | None) -> list[Command]:
    targets = [command.target for command in all_commands]
    if first and first not in targets:
        raise Problem(f"{first} measures nothing; these do: {', '.join(dict.fromkeys(targets))}")
    return all_commands[targets.index(first) :] if first else all_commands


def measured(command: Command) -> bool:
    """Runs a command; returns whether it succeeded."""
    wait_until_quiet(command.target)
    started = time.monotonic()
    unfinished = command.output.with_suffix(".part")
    with unfinished.open("w") as output, command.output.with_suffix(".log").open("w") as log:
        make = ["make", "--silent", "--no-print-directory", command.target, *command.variables]
        code = subprocess.run(make, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=log).returncode
    if code == 0:
        unfinished.replace(command.output)
    verdict = "" if code == 0 else f"  failed with exit code {code}"
    print(f"{command.shown:17} {time.monotonic() - started:5.0f} s{verdict}", flush=True)
    return code == 0


def wait_until_quiet(target: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (busy := others_share()) > QUIET:
        if time.monotonic() > deadline:
            raise Problem(f"other work takes {busy:.0%} of this machine: go on with FROM={target} when it has ended")


def others_share() -> float:
    machine = Machine(os.getpid())
    time.sleep(LOOK_SECONDS)
    return machine.others()


def renew(page: Path, all_commands: list[Command]) -> None:
    """Puts new outputs into a page where it shows those of before."""
    text = page.read_text()
    for command in all_commands:
        if command.output.exists():
            text = renewed(text, command.shown, command.output.read_text())
    if text != page.read_text():
        page.write_text(text)
        print(f"renewed in {page.relative_to(ROOT)}")


def renewed(text: str, command: str, output: str) -> str:
    found = re.search(rf"(?ms)^```text\n\$ make {re.escape(command)}\n(.*?)^```$", text)
    if found and "\n..." not in found[1]:
        text = text[: found.start(1)] + same_part(found[1], output) + text[found.end(1) :]
    for columns, rows in TABLE.findall(output):
        text = TABLE.sub(lambda there: columns + rows if there[1] == columns else there[0], text)
    return text


def same_part(shown: str, output: str) -> str:
    """The part of an output that begins as what is shown does."""
    start = shown.split(maxsplit=1)[0]
    lines = output.rstrip().splitlines()
    first = next((number for number, line in enumerate(lines) if line.startswith(start)), None)
    return shown if first is None else "\n".join(lines[first:]) + "\n"


if __name__ == "__main__":
    exit_with(main)
