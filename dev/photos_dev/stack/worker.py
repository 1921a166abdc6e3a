"""Deploys the worker of docs/notices.md into the local AWS, as the page has it: it passes a stack's notices on to a
server."""

from __future__ import annotations

import argparse
import re

from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import DEPLOYMENT_BUCKET, Clients, apply, put_package, stack_outputs
from photos_dev.local_aws.package import zipped
from photos_dev.local_aws.server import endpoint
from photos_dev.paths import DOCS
from photos_dev.problem import Problem, exit_with

PAGE = DOCS / "notices.md"
CODE_URI = "CodeUri: worker/"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack", default="photos", metavar="NAME", help="name of the stack (default: photos)")
    parser.add_argument("--url", required=True, help="where the server takes notices")
    parser.add_argument("--secret", required=True, help="what the server knows the worker by")
    arguments = parser.parse_args()
    deploy_worker(Clients(endpoint()), arguments.stack, arguments.url, arguments.secret)
    return 0


def deploy_worker(aws: Clients, stack: str, url: str, secret: str) -> None:
    outputs = stack_outputs(aws, stack)
    if "NoticesTopicArn" not in outputs:
        raise Problem(f"stack {stack} sends no notices: deploy it with Notices=true")
    template = block("yaml")
    if CODE_URI not in template:
        raise Problem(f"the template of {PAGE.name} has no `{CODE_URI}`")
    package = zipped("worker.py", block("python").encode())
    code = f"s3://{DEPLOYMENT_BUCKET}/{put_package(aws, package)}"
    parameters = {"Topic": outputs["NoticesTopicArn"], "Url": url, "Secret": secret}
    apply(aws, f"{stack}-worker", template.replace(CODE_URI, f"CodeUri: {code}"), parameters)


def block(language: str) -> str:
    """The page's only block of code in a language."""
    blocks = re.findall(rf"(?ms)^```{language}\n(.*?)^```$", PAGE.read_text())
    if len(blocks) != 1:
        raise Problem(f"{PAGE.name} has {len(blocks)} blocks of {language}, not one")
    return blocks[0]


if __name__ == "__main__":
    exit_with(on_local_aws(main))
