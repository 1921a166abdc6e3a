#!/usr/bin/env python3
"""Runs the demo server against a stack in the local AWS."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from aws import endpoint
from cli import exit_with
from deploy import Clients, stack_outputs
from problem import Problem
from server import client_environment


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", type=Path, help="the built examples/demo_server")
    parser.add_argument("--stack", default="photos", metavar="NAME", help="default: photos")
    parser.add_argument("--port", default="8080", help="default: 8080")
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
    exit_with(main)
