"""Runs tests against moto, a second emulator of AWS, so that no promise rests on how one emulator reads AWS."""

from __future__ import annotations

import argparse
import json
import os

from photos_dev.local_aws.cli import add_deploy_options, on_local_aws
from photos_dev.local_aws.command import run, while_it_runs
from photos_dev.local_aws.server import client_environment
from photos_dev.paths import ROOT
from photos_dev.problem import Problem, exit_with
from photos_dev.second_aws.deploy import deploy
from photos_dev.second_aws.server import SECOND, Moto
from photos_dev.second_aws.verdict import judge, outcomes

OUTPUT = SECOND / "tests.log"

TESTS_HELP = """\
Runs a command of `cargo test` against a new moto server, and compares the outcome of each test with what is expected:
that it passes, or needs a deployed function, or differs for a reason that verdict.py names. Exits with 1 where one ends
otherwise.
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m photos_dev.second_aws", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    tests = commands.add_parser("tests", help="run tests against a new moto server", description=TESTS_HELP)
    tests.add_argument("command", nargs="+", metavar="-- COMMAND")
    tests.set_defaults(run=run_tests)
    into = commands.add_parser("deploy", help="deploy template.yaml into the moto server of AWS_ENDPOINT_URL")
    add_deploy_options(into)
    into.set_defaults(run=deploy_stack)
    arguments = parser.parse_args()
    return arguments.run(arguments)


def run_tests(arguments: argparse.Namespace) -> int:
    SECOND.mkdir(parents=True, exist_ok=True)

    def run_command(endpoint: str) -> int:
        # What the tests know it by.
        environment = client_environment(endpoint) | {"SECOND_AWS": "moto"}
        with OUTPUT.open("w") as output:
            run(arguments.command, environment, output)
        return judge_output()

    return while_it_runs(Moto(), run_command)


def judge_output() -> int:
    tests = outcomes(OUTPUT.read_text(errors="replace"))
    if not tests:
        raise Problem(f"no test ran, see {OUTPUT.relative_to(ROOT)} and the output above")
    report, is_as_expected = judge(tests)
    print(report, flush=True)
    return 0 if is_as_expected else 1


def deploy_stack(arguments: argparse.Namespace) -> int:
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise Problem("AWS_ENDPOINT_URL is not set: it names the moto server that `tests` starts")
    outputs = deploy(
        endpoint,
        arguments.stack,
        arguments.functions,
        dict(arguments.parameter),
        dict(arguments.environment),
    )
    print(json.dumps(outputs, indent=2))
    return 0


if __name__ == "__main__":
    exit_with(on_local_aws(main))
