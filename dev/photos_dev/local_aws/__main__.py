"""Runs a local AWS on this machine, without Docker, and deploys the project into it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path

from photos_dev.local_aws.cli import add_deploy_options, on_local_aws
from photos_dev.local_aws.command import run, while_it_runs
from photos_dev.local_aws.deploy import deploy
from photos_dev.local_aws.server import LocalAws, client_environment, endpoint, shared
from photos_dev.problem import Problem, exit_with

DEPLOY_HELP = """\
Deploys template.yaml unchanged except for CodeUri, and prints the outputs of the stack as JSON. If the local
AWS does not speak TLS (`with --tls`), the buckets no longer require it.
The local AWS is that of AWS_ENDPOINT_URL if it is set, else the one that `up` started.

Every deployment starts from the defaults of the template: it does not keep the parameters of an earlier
one. --environment adds variables to the functions that the template does not have. For example,
AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL_DYNAMODB can name a server that refuses everything, to see what
the function does then. AWS_ENDPOINT_URL cannot be changed in this way.
"""


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
    add_deploy_options(into)
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

    def run_command(endpoint: str) -> int:
        roots = local_aws.trusted_roots() if arguments.tls else None
        return run(arguments.command, client_environment(endpoint, roots))

    try:
        return while_it_runs(local_aws, run_command)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    exit_with(on_local_aws(main))
