"""The outputs of a deployed stack, local or real."""

from __future__ import annotations

import boto3
from botocore.exceptions import ClientError

from photos_dev.problem import Problem


def stack_outputs(name: str) -> dict[str, str]:
    try:
        stacks = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        raise Problem(f"no stack {name} in this account and region, name another by --stack: {error}") from None
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
