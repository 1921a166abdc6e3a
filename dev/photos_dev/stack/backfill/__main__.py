"""Makes the renditions of photos that are in the bucket already: `make backfill STACK=photos`.

The function decides about each photo: one that is READY with the present settings stays as it is, any other is
rendered. By default a job of S3 Batch Operations invokes it; the stack needs Backfill=true for that. With --direct
this program invokes it itself: for some thousand photos, and for the local AWS. In both ways, the same command goes on
where an earlier one was stopped.
"""

from __future__ import annotations

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError

from photos_dev.arguments import number, whole
from photos_dev.problem import Problem, exit_with
from photos_dev.stack.backfill import direct, estimate, job
from photos_dev.stack.backfill.state import alone, load, path_of
from photos_dev.stack.backfill.target import Target

EPILOG = "Exit status: 0 if all tasks succeeded, 1 if some failed or nothing could be done, 130 after Ctrl-C."


def main() -> int:
    options = parse()
    try:
        return run(options)
    except (BotoCoreError, ClientError) as error:
        raise Problem(f"AWS refused a call: {error}") from error


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m photos_dev.stack.backfill",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stack", default="photos", metavar="NAME", help="name of the stack (default: photos)")
    parser.add_argument("--prefix", metavar="PREFIX", help="only keys that begin with it (default: OriginalsPrefix)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done and what it would cost")
    parser.add_argument("--every", type=number(0.1), default=5, metavar="SECONDS", help="time between two looks at a job (default: 5)")
    parser.add_argument("--direct", action="store_true", help="invoke the function from this machine")
    parser.add_argument("--at-once", type=whole(1), default=8, metavar="N", help="invocations at once with --direct (default: 8)")
    parser.add_argument("--restart", action="store_true", help="with --direct: begin anew, wherever the last run was stopped")
    return parser.parse_args()


def run(options: argparse.Namespace) -> int:
    target = Target.of(options.stack, options.prefix, options.at_once)
    if target.is_local and not options.direct:
        raise Problem("the local AWS has no S3 Batch Operations: add --direct (DIRECT=1)")
    if options.dry_run:
        return dry_run(target, options.direct)
    if not options.direct:
        return job.run(target, options.every, say)
    with alone(path := path_of(target.stack, target.prefix)):
        state, said = load(path, target.fingerprint(), options.restart)
        if said:
            say(said)
        if not (total := target.count().objects):
            print(f"no objects in {target.url}")
            return 0
        return direct.run(target, state, total, options.at_once, say)


def dry_run(target: Target, is_direct: bool) -> int:
    how = "invoke it from this machine" if is_direct else "create a job of S3 Batch Operations"
    count = target.count()
    print(f"{count.objects:,} objects with {estimate.size(count.bytes)} in {target.url}")
    print(f"{target.function['FunctionName']} would get a task for each. This would {how}.")
    print(estimate.report(estimate.Work.of(target, count), is_job=not is_direct))
    if not is_direct:
        places = job.Places.of(target)
        print(f"The role would be {places.role_arn}, and the report in s3://{places.bucket}/{job.REPORTS}/.")
        if running := job.Jobs.of(target).running(target):
            print(f"Job {running} does so already: it would be shown instead.")
    return 0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    exit_with(main)
