"""Simulates on paper how far the system scales, and what breaks first: `make scale`.

Nothing of it runs on AWS. It prints a table for each question, and writes docs/scale-figures.md and docs/scale.svg if
all options have their defaults. `check` puts the model beside the real function in the local AWS.
"""

from __future__ import annotations

import argparse
import time

from photos_dev.arguments import number, whole
from photos_dev.benches.load.waits import BOTH
from photos_dev.local_aws.cli import on_local_aws
from photos_dev.paths import DOCS
from photos_dev.problem import exit_with
from photos_dev.scale import check, constants
from photos_dev.scale.chart import chart
from photos_dev.scale.questions import HOLD_S, Answers, answers
from photos_dev.scale.simulation import Setup, times

# Those that change the figures.
OPTIONS = ("cpu_ms", "waits", "account", "window", "seed")


def main() -> int:
    parser, arguments = parse_arguments()
    if arguments.command == "check":
        return on_local_aws(lambda: check.run(arguments.rates, arguments.photos, arguments.cpu_ms))()
    began = time.monotonic()
    waits = {waits.title: waits for waits in BOTH}[arguments.waits]
    setup = Setup(account=arguments.account, window_s=arguments.window, times=times(waits, arguments.cpu_ms))
    found = answers(setup, arguments.seed)
    print("\n\n".join(sheet.text() for sheet in found.sheets))
    print(f"\ncomputed in {time.monotonic() - began:.0f} s")
    if all(getattr(arguments, name) == parser.get_default(name) for name in OPTIONS):
        write(found, arguments.cpu_ms)
        print("written to docs/scale-figures.md and docs/scale.svg")
    else:
        print("docs/ is as it was: these are not the defaults")
    return 0


def parse_arguments() -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    parser = argparse.ArgumentParser(
        prog="python -m photos_dev.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", choices=("run", "check"), default="run")
    parser.add_argument(
        "--cpu-ms",
        type=number(1),
        default=constants.CPU_MS,
        help="CPU time of a photo, as `make measure` and `make cost` measure it (%(default)s)",
    )
    titles = [waits.title for waits in BOTH]
    parser.add_argument("--waits", choices=titles, default=titles[0], help="for S3 and DynamoDB (%(default)s)")
    parser.add_argument(
        "--account", type=whole(1), default=constants.ACCOUNT_ENVIRONMENTS, help="the account's concurrency (%(default)s)"
    )
    parser.add_argument("--window", type=number(0, 5), default=0.0, help="QueueWindowSeconds, 0 to 5 (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (%(default)s)")
    parser.add_argument("--rates", type=number(0.1), nargs="+", default=[4.0, 8.0], help="check: photos a second")
    parser.add_argument("--photos", type=whole(1), default=48, help="check: photos of each rate (%(default)s)")
    return parser, parser.parse_args()


def write(found: Answers, cpu_ms: float) -> None:
    last = (
        f"`make scale`, a simulation of which nothing was run on AWS: each rate is held for {HOLD_S} s, the CPU time "
        f"of a photo is {cpu_ms:.0f} ms, and the waits are the published ones. p50 and p99 are of the photos that are "
        "READY, from the first try of their upload. \"Refused by\" names what refused more than a thousandth of the "
        "photos, most often first; Lambda refuses an invocation that finds no environment. [scale.md](scale.md) says "
        "what it means."
    )
    parts = [sheet.markdown() for sheet in found.sheets]
    (DOCS / "scale-figures.md").write_text("\n\n".join(["# Scale: figures", *parts, last]) + "\n")
    (DOCS / "scale.svg").write_text(chart(found.panels))


if __name__ == "__main__":
    exit_with(main)
