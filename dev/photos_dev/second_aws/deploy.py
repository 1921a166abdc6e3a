"""Deploys template.yaml into moto, as far as moto goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from photos_dev.local_aws.deploy import (
    Clients, add_environment, apply, check_table, plain_template_and_code, stack_outputs,
)

# moto fails at outputs that name a resource of these types. Of other types that it does not know it makes nothing.
REFUSED = ("AWS::Lambda::Url",)


def deploy(
    endpoint: str, stack: str, functions: Path, parameters: dict[str, str], environment: dict[str, str]
) -> dict[str, str]:
    """Creates or updates the stack; returns its outputs."""
    aws = Clients(endpoint)
    template, code = plain_template_and_code(aws, functions)
    apply(aws, stack, json.dumps(without_what_moto_refuses(template)), code | parameters)
    outputs = stack_outputs(aws, stack)
    check(aws, outputs)
    for function in ("ThumbnailFunctionName", "UploadUrlFunctionName"):
        add_environment(aws, outputs[function], numbers_as_text(aws, outputs[function]) | environment)
    return outputs


def without_what_moto_refuses(plain: dict[str, Any]) -> dict[str, Any]:
    """A template after SAM's transform, which moto does not know."""
    refused = [name for name, resource in plain["Resources"].items() if resource["Type"] in REFUSED]
    for name in refused:
        del plain["Resources"][name]
    for resource in plain["Resources"].values():
        if resource["Type"] == "AWS::DynamoDB::Table":
            resource["Properties"] = without_options(resource["Properties"])
    outputs = plain["Outputs"].items()
    plain["Outputs"] = {key: value for key, value in outputs if not any(f'"{name}"' in json.dumps(value) for name in refused)}
    return plain


def without_options(value: Any) -> Any:
    """Leaves out of lists what only a condition puts there: moto makes a null of AWS::NoValue, at which it fails."""
    if isinstance(value, dict):
        return {name: without_options(member) for name, member in value.items()}
    if isinstance(value, list):
        return [without_options(entry) for entry in value if not is_option(entry)]
    return value


def is_option(entry: Any) -> bool:
    return isinstance(entry, dict) and "Fn::If" in entry and entry["Fn::If"][2] == {"Ref": "AWS::NoValue"}


def check(aws: Clients, outputs: dict[str, str]) -> None:
    """That moto has made what the tests rely on."""
    check_table(aws, outputs)
    for bucket in ("OriginalsBucketName", "ThumbnailsBucketName"):
        aws.s3.head_bucket(Bucket=outputs[bucket])
    aws.sqs.get_queue_attributes(QueueUrl=outputs["DeadLetterQueueUrl"])


def numbers_as_text(aws: Clients, function: str) -> dict[str, str]:
    """The function's variables that moto gives as numbers; in AWS, each is a text."""
    variables = aws.lambda_.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    return {name: str(value) for name, value in variables.items() if not isinstance(value, str)}
