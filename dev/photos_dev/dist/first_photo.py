"""Deploys a release into the local AWS, and processes a photo with it: the part of `try` that needs packages."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import deploy
from photos_dev.local_aws.server import endpoint
from photos_dev.paths import FUNCTIONS, PHOTO
from photos_dev.problem import exit_with
from photos_dev.stack import run_photo

STACK = "photos"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("template", type=Path, help="template of the release")
    parser.add_argument("photo", nargs="?", type=Path, default=PHOTO, help=f"a photo (default: {PHOTO.name})")
    parser.add_argument("--started", type=float, required=True, metavar="SECONDS", help="time of the start, since 1970")
    arguments = parser.parse_args()
    print(f"deploying {arguments.template.name} into a local AWS", flush=True)
    deploy(endpoint(), STACK, FUNCTIONS, {}, {}, template=arguments.template)
    code = run_photo.run(arguments.photo, STACK)
    print(f"\n{time.time() - arguments.started:.0f} s from the start to the photo's item")
    return code


if __name__ == "__main__":
    exit_with(on_local_aws(main))
