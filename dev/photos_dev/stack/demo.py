"""Runs the demo server against a stack in the local AWS."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import Clients, stack_outputs
from photos_dev.local_aws.server import client_environment, endpoint
from photos_dev.problem import Problem, exit_with


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", type=Path, help="the program built from dev/demo-server")
    parser.add_argument("--stack", default="photos", metavar="NAME", help="name of the stack (default: photos)")
    parser.add_argument("--port", default="8080", help="port of 127.0.0.1 (default: 8080)")
    arguments = parser.parse_args()

    names = stack_outputs(Clients(endpoint()), arguments.stack)
    command = [
        str(arguments.server),
        *("--function-url", names["UploadUrlFunctionUrl"]),
        *("--table", names["PhotosTableName"]),
        *("--port", arguments.port),
    ]
    try:
        os.execve(arguments.server, command, client_environment(endpoint()))
    except OSError as error:
        raise Problem(f"cannot run {arguments.server}: {error.strerror}") from error


if __name__ == "__main__":
    exit_with(on_local_aws(main))
