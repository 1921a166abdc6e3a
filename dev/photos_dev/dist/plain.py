"""Writes template.yaml as plain CloudFormation, which needs no SAM: `python -m photos_dev.dist.plain OUT.json`.

It is what SAM's own transform makes of it. Only the functions' code is not on this machine any more: the parameter
CodeBucket and one more for each function say where in S3 it is.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from photos_dev.paths import TEMPLATE
from photos_dev.problem import Problem, exit_with

CODE_BUCKET_NAME = "CodeBucket"
CODE_BUCKET = {
    "Description": "Bucket with the functions' packages, in the stack's region.",
    "Type": "String",
    "AllowedPattern": "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    "ConstraintDescription": "the name of a bucket",
}
# AWS CloudFormation User Guide, "Understand CloudFormation quotas": a template in a request, and one that is in S3.
LARGEST_BODY = 51_200
LARGEST_IN_S3 = 1_000_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, metavar="OUT.json", help="file to write")
    output = parser.parse_args().output
    text = as_text(plain_template(TEMPLATE))
    output.write_text(text)
    print(f"{output} is written: {size_of(text)}", file=sys.stderr)
    return 0


def plain_template(template: Path) -> dict[str, Any]:
    """The template after SAM's transform, with parameters for the functions' code."""
    source = yaml_parse(template.read_text())
    code: dict[str, Any] = {CODE_BUCKET_NAME: CODE_BUCKET}
    for name, resource in source["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            binary, key = binary_of(resource), f"{name.removesuffix('Function')}CodeKey"
            resource["Properties"]["CodeUri"] = {"Bucket": {"Ref": CODE_BUCKET_NAME}, "Key": {"Ref": key}}
            code[key] = code_key(binary)
    source["Parameters"] = code | source["Parameters"]
    groups = source["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    groups.insert(0, {"Label": {"default": "Code"}, "Parameters": list(code)})
    # SAM asks for a region, whichever: the template says AWS::Region.
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    return transform(source, {}, ManagedPolicyLoader(None))


def code_key(binary: str) -> dict[str, str]:
    return {
        "Description": f"Key of {binary}-ARCHITECTURE.zip in that bucket. Another key for each version of it: "
        "CloudFormation updates the function only where the key changes.",
        "Type": "String",
        "AllowedPattern": ".+",
        "ConstraintDescription": "the key of an object",
    }


def code_keys(plain: dict[str, Any]) -> dict[str, str]:
    """The parameter of each function's code, by the function's binary, which its package is named after."""
    functions = [one for one in plain["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
    return {binary_of(function): function["Properties"]["Code"]["S3Key"]["Ref"] for function in functions}


def binary_of(function: dict[str, Any]) -> str:
    return function["Metadata"]["BuildProperties"]["Binary"]


def as_text(plain: dict[str, Any]) -> str:
    """The same text for the same template."""
    return json.dumps(plain, indent=1) + "\n"


def size_of(text: str) -> str:
    """The size, and which of CloudFormation's limits it keeps."""
    size = len(text.encode())
    if size > LARGEST_IN_S3:
        raise Problem(f"the template has {size:,} bytes, more than the {LARGEST_IN_S3:,} that CloudFormation takes")
    if size > LARGEST_BODY:
        return f"{size:,} bytes, to be put into S3, because a request holds at most {LARGEST_BODY:,}"
    return f"{size:,} bytes"


if __name__ == "__main__":
    exit_with(main)
