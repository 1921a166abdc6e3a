"""Runs the demo server against a stack in the local AWS, with the worker of docs/notices.md, which sends it notices."""

from __future__ import annotations

import argparse
import os
import secrets
from pathlib import Path

from photos_dev.arguments import whole
from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import Clients, stack_outputs
from photos_dev.local_aws.server import client_environment, endpoint, free_port
from photos_dev.problem import Problem, exit_with
from photos_dev.stack.worker import deploy_worker


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", type=Path, help="the program built from dev/demo-server")
    parser.add_argument("--stack", default="photos", metavar="NAME", help="name of the stack (default: photos)")
    parser.add_argument("--port", type=whole(0, 65535), default=8080, help="port of 127.0.0.1 (default: 8080); 0 for any free one")
    arguments = parser.parse_args()

    aws = Clients(endpoint())
    names = stack_outputs(aws, arguments.stack)
    port, secret = arguments.port or free_port(), secrets.token_urlsafe(32)
    deploy_worker(aws, arguments.stack, f"http://127.0.0.1:{port}/notices", secret)
    command = [
        str(arguments.server),
        *("--function-url", names["UploadUrlFunctionUrl"]),
        *("--table", names["PhotosTableName"]),
        *("--port", str(port)),
    ]
    try:
        os.execve(arguments.server, command, client_environment(endpoint()) | {"NOTICES_SECRET": secret})
    except OSError as error:
        raise Problem(f"cannot run {arguments.server}: {error.strerror}") from error


if __name__ == "__main__":
    exit_with(on_local_aws(main))
