"""Makes the local AWS send notices as AWS does.

The local AWS runs the pipe of template.yaml, but publishes each record of the table's stream as it is: it has no filter
and no input template. So its pipe gets a topic of its own, and a function (pipe.py) publishes to the real one what
filter and template of the template make of the records.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from photos_dev.local_aws.package import zipped
from photos_dev.paths import TEMPLATE
from photos_dev.problem import Problem

CODE = Path(__file__).with_name("pipe.py")
RUNTIME = "python3.13"


@cache
def pipe() -> dict[str, Any]:
    """The properties of the template's pipe."""
    return yaml_parse(TEMPLATE.read_text())["Resources"]["NoticesPipe"]["Properties"]


def patterns() -> list[dict[str, Any]]:
    filters = pipe()["SourceParameters"]["FilterCriteria"]["Filters"]
    return [json.loads(one["Pattern"]) for one in filters]


def input_template() -> str:
    return pipe()["TargetParameters"]["InputTemplate"]


def stand_in(aws: Any, stack: str, outputs: dict[str, str]) -> None:
    """Puts the function between the pipe of a stack and its topic."""
    topic, found = outputs["NoticesTopicArn"], aws.pipes.describe_pipe(Name=f"{stack}-notices")
    if (found["Source"], found["CurrentState"]) != (outputs["PhotosTableStreamArn"], "RUNNING"):
        raise Problem(f"the pipe {found['Name']} is {found['CurrentState']} and reads {found['Source']}")
    name = f"{stack}-notices-filter-and-template"
    raw = aws.sns.create_topic(Name=f"{stack}-notices-raw")["TopicArn"]
    function = put_function(aws, name, {
        "PATTERNS": json.dumps(patterns()), "INPUT_TEMPLATE": input_template(), "TOPIC": topic,
    })
    aws.sns.subscribe(TopicArn=raw, Protocol="lambda", Endpoint=function)
    aws.pipes.update_pipe(Name=found["Name"], RoleArn=found["RoleArn"], Target=raw)


def put_function(aws: Any, name: str, variables: dict[str, str]) -> str:
    """Creates the function or renews its settings; returns its ARN."""
    environment = {"Variables": variables}
    try:
        return aws.lambda_.update_function_configuration(FunctionName=name, Environment=environment)["FunctionArn"]
    except aws.lambda_.exceptions.ResourceNotFoundException:
        pass
    created = aws.lambda_.create_function(
        FunctionName=name,
        Runtime=RUNTIME,
        Handler=f"{CODE.stem}.handler",
        Code={"ZipFile": zipped(CODE.name, CODE.read_bytes())},
        Role=put_role(aws, name, variables["TOPIC"]),
        Timeout=60,
        Environment=environment,
    )
    return created["FunctionArn"]


def put_role(aws: Any, name: str, topic: str) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    right = {"Effect": "Allow", "Action": "sns:Publish", "Resource": topic}
    role = aws.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]
    aws.iam.put_role_policy(RoleName=name, PolicyName="publish", PolicyDocument=policy(right))
    return role["Arn"]


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
