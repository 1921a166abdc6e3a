"""Deploys template.yaml into moto, as far as moto goes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from photos_dev.local_aws.deploy import Clients, add_environment, apply, require, stack_outputs, template_with_code
from photos_dev.local_aws.server import ACCOUNT

# moto fails at outputs that name a resource of these types. Of other types that it does not know it makes nothing.
REFUSED = ("AWS::Lambda::Url",)


def deploy(
    endpoint: str, stack: str, functions: Path, parameters: dict[str, str], environment: dict[str, str]
) -> dict[str, str]:
    """Creates or updates the stack; returns its outputs."""
    aws = Clients(endpoint)
    apply(aws, stack, json.dumps(template(aws, functions)), parameters)
    outputs = stack_outputs(aws, stack)
    check(aws, outputs)
    for function in ("ThumbnailFunctionName", "UploadUrlFunctionName"):
        add_environment(aws, outputs[function], numbers_as_text(aws, outputs[function]) | environment)
    return outputs


def template(aws: Clients, functions: Path) -> dict[str, Any]:
    """The template after SAM's transform, which moto does not know, without what it refuses."""
    os.environ["AWS_DEFAULT_REGION"] = ACCOUNT["AWS_REGION"]  # SAM asks for one
    plain = transform(yaml_parse(template_with_code(aws, functions)), {}, ManagedPolicyLoader(None))
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
    table = aws.dynamodb.describe_table(TableName=outputs["PhotosTableName"])["Table"]
    indexes = [index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])]
    require("album-timeline" in indexes, f"{table['TableName']} has no index album-timeline")
    for bucket in ("OriginalsBucketName", "ThumbnailsBucketName"):
        aws.s3.head_bucket(Bucket=outputs[bucket])
    aws.sqs.get_queue_attributes(QueueUrl=outputs["DeadLetterQueueUrl"])


def numbers_as_text(aws: Clients, function: str) -> dict[str, str]:
    """The function's variables that moto gives as numbers; in AWS, each is a text."""
    variables = aws.lambda_.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    return {name: str(value) for name, value in variables.items() if not isinstance(value, str)}
