"""The outputs of a deployed stack, local or real."""

from __future__ import annotations

import boto3
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError

from photos_dev.problem import Problem


def stack_outputs(name: str) -> dict[str, str]:
    try:
        stacks = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except NoRegionError:
        raise Problem("no region is known: set AWS_DEFAULT_REGION, or run `aws configure`") from None
    except NoCredentialsError:
        raise Problem("no AWS credentials are found: set AWS_PROFILE, or run `aws configure`") from None
    except ClientError as error:
        raise Problem(f"no stack {name} in this account and region, name another by STACK=NAME: {error}") from None
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
