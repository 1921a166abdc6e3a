"""Compares the cost of a batch of thumbnails, made in several ways in one run on one machine: `make load-compare`.

The ways are a server, a worker behind RabbitMQ (jvm.py), and Lambda functions that S3 invokes (lambdas.py): with
Pillow, with sharp, and this project's. Each way processes the same number of photos at a time (costs.AT_ONCE), after
some photos to warm up. Programs that it needs are installed below target/compare, and all processes end with the
run. A way that cannot be installed is listed as missing. This project is measured at the beginning and at the end:
the difference says how quiet the machine was.

It writes docs/load.md, docs/load.svg and target/compare/compare.json.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from photos_dev.arguments import whole
from photos_dev.benches.install import Missing, say
from photos_dev.benches.load import jvm, lambdas, report
from photos_dev.benches.load.costs import Measured
from photos_dev.benches.load.lambdas import Measure
from photos_dev.benches.load.report import Run, Way
from photos_dev.benches.processes import Machine
from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import Clients
from photos_dev.local_aws.server import endpoint
from photos_dev.problem import Problem, exit_with


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares the cost of a batch of thumbnails, made in several ways.")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="folder of JPEGs (default: made from the test photo)")
    parser.add_argument("--within", type=whole(1), default=480, metavar="SECONDS", help="time limit (default: 480)")
    options = parser.parse_args()
    end_in_time(options.within)
    aws = Clients(endpoint())
    uploads = lambdas.the_photos(options.photos)

    # The parent process runs the local AWS too: see the Makefile.
    machine = Machine(os.getppid())
    this = lambdas.this_project(aws, uploads).checked()
    ways = [
        Way(jvm.IN_SERVER, tried(jvm.in_server, aws, uploads)),
        Way(jvm.THROUGH_RABBITMQ, tried(jvm.through_rabbitmq, aws, uploads)),
        Way("Pillow in Lambda", tried(lambdas.pillow, aws, uploads)),
        Way("sharp in Lambda", tried(lambdas.sharp, aws, uploads)),
        Way("this project in Lambda", this, is_ours=True),
    ]
    again = lambdas.this_project(aws, uploads).checked()
    drift = again.cpu_ms / this.cpu_ms - 1
    report.write(Run(ways, len(uploads), options.photos, machine.others(), drift))
    return 0


def tried(measure: Measure, aws: Clients, uploads: list[Path]) -> Measured | str:
    """The measurements of a way, or the reason why it is missing."""
    try:
        return measure(aws, uploads).checked()
    except Missing as missing:
        say(f"missing: {missing}")
        return str(missing)


def end_in_time(seconds: int) -> None:
    """Makes SIGTERM and the time limit end this program and the programs that it has started."""

    def stop(number: int, frame: object) -> None:
        sys.exit(128 + number)

    def give_up(number: int, frame: object) -> None:
        raise Problem(f"the comparison took more than {seconds} s: raise --within")

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)


if __name__ == "__main__":
    exit_with(on_local_aws(main))
