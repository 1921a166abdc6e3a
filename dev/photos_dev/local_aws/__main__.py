"""Runs a local AWS on this machine, without Docker, and deploys the project into it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import deploy
from photos_dev.local_aws.server import LocalAws, client_environment, end_group, endpoint, shared
from photos_dev.paths import FUNCTIONS
from photos_dev.problem import Problem, exit_with

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

DEPLOY_HELP = """\
Deploys template.yaml unchanged except for CodeUri, and prints the outputs of the stack as JSON. If the local
AWS does not speak TLS (`with --tls`), the buckets no longer require it.
The local AWS is that of AWS_ENDPOINT_URL if it is set, else the one that `up` started.

Every deployment starts from the defaults of the template: it does not keep the parameters of an earlier
one. --environment adds variables to the functions that the template does not have. For example,
AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL_DYNAMODB can name a server that refuses everything, to see what
the function does then. AWS_ENDPOINT_URL cannot be changed in this way.
"""


class Interrupted(BaseException):
    """A signal that asks this program to end."""

    def __init__(self, number: int) -> None:
        self.number = number


def main() -> int:
    arguments = parse_arguments()
    return arguments.run(arguments)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m photos_dev.local_aws", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="start the local AWS, unless it runs already")
    up.set_defaults(run=lambda arguments: start())

    down = commands.add_parser("down", help="stop the local AWS, and delete its data")
    down.set_defaults(run=lambda arguments: stop())

    into = commands.add_parser(
        "deploy",
        help="deploy template.yaml into the local AWS",
        description=DEPLOY_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    into.add_argument("--stack", metavar="NAME", required=True, help="name of the stack")
    into.add_argument(
        "--functions",
        metavar="DIR",
        type=Path,
        default=FUNCTIONS,
        help="folder of the built functions, NAME/bootstrap (default: that of `make build`)",
    )
    into.add_argument(
        "--parameter",
        metavar="Key=Value",
        nargs="+",
        action="extend",
        type=assignment,
        default=[],
        help="parameters of the template",
    )
    into.add_argument(
        "--environment",
        metavar="KEY=VALUE",
        nargs="+",
        action="extend",
        type=assignment,
        default=[],
        help="more variables for the functions",
    )
    into.add_argument(
        "--plain",
        action="store_true",
        help="deploy plain CloudFormation, as a release has it, instead of SAM's template",
    )
    into.set_defaults(run=deploy_stack)

    run_in = commands.add_parser("exec", help="run a command against the local AWS of `up`")
    run_in.add_argument("command", nargs="+", metavar="-- COMMAND")
    run_in.set_defaults(run=run_in_running)

    run_with = commands.add_parser(
        "with", help="run a command against a new local AWS, which ends with the command"
    )
    run_with.add_argument("--tls", action="store_true", help="make it speak TLS, as AWS does")
    run_with.add_argument("command", nargs="+", metavar="-- COMMAND")
    run_with.set_defaults(run=run_with_own)

    return parser.parse_args()


def assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value


def start() -> int:
    print(f"local AWS: {shared().start()}")
    return 0


def stop() -> int:
    shared().stop()
    return 0


def deploy_stack(arguments: argparse.Namespace) -> int:
    outputs = deploy(
        endpoint(),
        arguments.stack,
        arguments.functions,
        dict(arguments.parameter),
        dict(arguments.environment),
        arguments.plain,
    )
    print(json.dumps(outputs, indent=2))
    return 0


def run_in_running(arguments: argparse.Namespace) -> int:
    environment = client_environment(shared().endpoint())
    try:
        os.execvpe(arguments.command[0], arguments.command, environment)
    except OSError as error:
        raise Problem(f"cannot run {arguments.command[0]}: {error.strerror}") from error


def run_with_own(arguments: argparse.Namespace) -> int:
    directory = Path(tempfile.mkdtemp(prefix="local-aws-"))
    local_aws = LocalAws(directory, "https" if arguments.tls else "http")
    try:
        raise_on_signals()
        endpoint = local_aws.start()
        roots = local_aws.trusted_roots() if arguments.tls else None
        return run(arguments.command, client_environment(endpoint, roots))
    except Interrupted as interrupted:
        return 128 + interrupted.number
    finally:
        ignore_signals()  # so that the clean-up is not interrupted
        local_aws.stop()
        shutil.rmtree(directory, ignore_errors=True)


def run(command: list[str], environment: dict[str, str]) -> int:
    """Runs a command in a process group of its own, so that signals reach all of it and no process stays."""
    try:
        process = subprocess.Popen(command, env=environment, start_new_session=True)
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


if __name__ == "__main__":
    exit_with(on_local_aws(main))
