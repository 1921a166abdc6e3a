"""Deploys template.yaml, or a release's, into the local AWS through its CloudFormation, as `sam deploy` would."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

from photos_dev.local_aws import notices
from photos_dev.local_aws.package import zipped
from photos_dev.local_aws.server import ACCOUNT
from photos_dev.paths import TEMPLATE
from photos_dev.problem import Problem

DEPLOYMENT_BUCKET = "deployments"
QUICKLY = {"Delay": 0.2, "MaxAttempts": 600}  # a waiter's pace, as everything is on this machine


class Clients:
    """boto3 clients of one local AWS, each made at its first use."""

    def __init__(self, endpoint: str) -> None:
        if urlsplit(endpoint).hostname not in ("127.0.0.1", "localhost"):
            raise Problem(f"{endpoint} is not on this machine: set AWS_ENDPOINT_URL to a local AWS, or unset it")
        self.endpoint = endpoint
        self._session: Any = boto3.Session(
            ACCOUNT["AWS_ACCESS_KEY_ID"],
            ACCOUNT["AWS_SECRET_ACCESS_KEY"],
            region_name=ACCOUNT["AWS_REGION"],
        )

    def __getattr__(self, service: str) -> Any:
        client = self._session.client(
            "lambda" if service == "lambda_" else service,
            endpoint_url=self.endpoint,
            config=Config(proxies={}, retries={"total_max_attempts": 3}, read_timeout=120),
        )
        setattr(self, service, client)
        return client


def deploy(
    endpoint: str,
    stack: str,
    functions: Path,
    parameters: dict[str, str],
    environment: dict[str, str],
    plain: bool = False,
    template: Path = TEMPLATE,
) -> dict[str, str]:
    """Creates or updates the stack with the functions built in a folder; returns its outputs."""
    aws = Clients(endpoint)
    if plain:
        plain_template, code = plain_template_and_code(aws, functions)
        apply(aws, stack, json.dumps(plain_template), code | parameters)
    else:
        apply(aws, stack, template_with_code(aws, template, functions), parameters)
    outputs = stack_outputs(aws, stack)
    disable_redrive(aws, outputs)
    if endpoint.startswith("http:"):
        allow_http(aws, outputs)
    if "NoticesTopicArn" in outputs:
        notices.stand_in(aws, stack, outputs)
    check(aws, outputs)
    if parameters.get("ExistingOriginalsBucket"):
        check_existing_bucket(aws, outputs)
    else:
        check_new_bucket(aws, outputs)
    if environment:
        for function in ("ThumbnailFunctionName", "UploadUrlFunctionName"):
            add_environment(aws, outputs[function], environment)
    return outputs


def through(endpoint: str) -> dict[str, str]:
    """The environment with which a function calls its services at an endpoint. AWS_ENDPOINT_URL cannot be changed: see
    `python -m photos_dev.local_aws deploy --help`."""
    return dict.fromkeys(("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"), endpoint)


def upload(aws: Clients, bootstrap: Path) -> str:
    """Uploads a function's code; returns its key, which is the same for the same code."""
    try:
        code = bootstrap.read_bytes()
    except FileNotFoundError:
        raise Problem(f"{bootstrap} does not exist: build it with `make build`") from None
    return put_package(aws, zipped("bootstrap", code))


def put_package(aws: Clients, package: bytes) -> str:
    """Uploads a deployment package; returns its key."""
    return put_content(aws, package, ".zip")


def put_content(aws: Clients, content: bytes, suffix: str) -> str:
    """Uploads something to deploy under its hash, unless it is there already; returns its key."""
    key = hashlib.sha256(content).hexdigest() + suffix
    aws.s3.create_bucket(Bucket=DEPLOYMENT_BUCKET)
    if not exists(lambda: aws.s3.head_object(Bucket=DEPLOYMENT_BUCKET, Key=key)):
        aws.s3.put_object(Bucket=DEPLOYMENT_BUCKET, Key=key, Body=content)
    return key


def template_with_code(aws: Clients, template: Path, functions: Path) -> str:
    """The template with the one change that `sam package` makes too: the URI of each function's code.

    The code is that of the function's binary, or the zip beside the template that a release's CodeUri names."""

    def built(match: re.Match[str]) -> str:
        key = upload(aws, functions / match["binary"] / "bootstrap")
        return f"{match['before']} s3://{DEPLOYMENT_BUCKET}/{key}"

    def packaged(match: re.Match[str]) -> str:
        try:
            package = (template.parent / match["zip"]).read_bytes()
        except FileNotFoundError:
            raise Problem(f"{template.parent} has no {match['zip']}, which {template.name} names") from None
        return f"CodeUri: s3://{DEPLOYMENT_BUCKET}/{put_package(aws, package)}"

    function = r"(?ms)(?P<before>^\s+Binary: (?P<binary>\S+)$.*?^\s+CodeUri:) \.$"
    text, built_functions = re.subn(function, built, template.read_text())
    text, packaged_functions = re.subn(r"\bCodeUri: (?P<zip>[\w-]+\.zip)$", packaged, text, flags=re.M)
    if not built_functions and not packaged_functions:
        raise Problem(
            f"{template.name} has no function with a zip as its CodeUri, or with `CodeUri: .` after `Binary:`, so no code "
            "can be deployed"
        )
    return text


def plain_template_and_code(aws: Clients, functions: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The template without SAM, and its parameters that say where the functions' code is."""
    from photos_dev.dist import plain  # it imports SAM's transform, which takes most of a second

    template = plain.plain_template(TEMPLATE)
    keys = {
        parameter: upload(aws, functions / binary / "bootstrap")
        for binary, parameter in plain.code_keys(template).items()
    }
    return template, {plain.CODE_BUCKET_NAME: DEPLOYMENT_BUCKET} | keys


def apply(aws: Clients, stack: str, template: str, parameters: dict[str, str]) -> None:
    change = {
        "StackName": stack,
        # As `sam deploy` does it: a call takes a template of at most 51,200 bytes (AWS CloudFormation User Guide,
        # "Understand CloudFormation quotas").
        "TemplateURL": f"{aws.endpoint}/{DEPLOYMENT_BUCKET}/{put_content(aws, template.encode(), '.yaml')}",
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    is_update = exists(lambda: aws.cloudformation.describe_stacks(StackName=stack))
    try:
        if is_update:
            aws.cloudformation.update_stack(**change)
        else:
            aws.cloudformation.create_stack(**change)
        waiter = "stack_update_complete" if is_update else "stack_create_complete"
        aws.cloudformation.get_waiter(waiter).wait(StackName=stack, WaiterConfig=QUICKLY)
    except ClientError as error:
        message = error.response["Error"]["Message"]
        if "No updates are to be performed" not in message:
            raise Problem(f"CloudFormation refused stack {stack}: {message}") from error
    except WaiterError as error:
        raise Problem(f"CloudFormation could not deploy stack {stack}: {first_failure(aws, stack)}") from error


def first_failure(aws: Clients, stack: str) -> str:
    events = aws.cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    failures = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    if not failures:
        return events[0].get("ResourceStatusReason", events[0]["ResourceStatus"])
    first = failures[-1]  # the newest event comes first
    return f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', 'no reason given')}"


def stack_outputs(aws: Clients, stack: str) -> dict[str, str]:
    try:
        description = aws.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError:
        raise Problem(f"no stack {stack} in the local AWS: deploy it with `make run`") from None
    return {output["OutputKey"]: output["OutputValue"] for output in description["Outputs"]}


def disable_redrive(aws: Clients, outputs: dict[str, str]) -> None:
    """Disables the event source for redrives: the local CloudFormation silently ignores that it is disabled."""
    letters = queue_arn(aws, outputs["DeadLetterQueueUrl"])
    for mapping in event_sources(aws, outputs):
        if mapping["EventSourceArn"] == letters:
            aws.lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)


def allow_http(aws: Clients, outputs: dict[str, str]) -> None:
    """Removes the policies by which the buckets refuse calls without TLS, which this local AWS lacks."""
    for output in ("OriginalsBucketName", "ThumbnailsBucketName"):
        try:
            policy = aws.s3.get_bucket_policy(Bucket=outputs[output])["Policy"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
                raise
            continue  # removed by an earlier deployment, or a bucket that existed before the stack
        statements = [statement["Sid"] for statement in json.loads(policy)["Statement"]]
        require(statements == ["OnlyOverTls"], f"the policy of {outputs[output]} says {statements}")
        aws.s3.delete_bucket_policy(Bucket=outputs[output])
    if topic := outputs.get("NoticesTopicArn"):
        aws.sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue="")


def queue_arn(aws: Clients, url: str) -> str:
    return aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def event_sources(aws: Clients, outputs: dict[str, str]) -> list[dict[str, Any]]:
    function = outputs["ThumbnailFunctionName"]
    return aws.lambda_.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]


def check(aws: Clients, outputs: dict[str, str]) -> None:
    """Checks that the stack is complete: the local CloudFormation silently ignores properties that it does
    not know."""
    function = outputs["ThumbnailFunctionName"]
    queue = outputs["DeadLetterQueueUrl"]

    configuration = aws.lambda_.get_function_configuration(FunctionName=function)
    variables = configuration.get("Environment", {}).get("Variables", {})
    for variable, output in (
        ("ORIGINALS_BUCKET", "OriginalsBucketName"),
        ("THUMBNAILS_BUCKET", "ThumbnailsBucketName"),
        ("PHOTOS_TABLE", "PhotosTableName"),
        ("DEAD_LETTER_QUEUE_URL", "DeadLetterQueueUrl"),
    ):
        require(
            variables.get(variable) == outputs[output],
            f"{variable} of {function} is {variables.get(variable)!r}, not {outputs[output]!r}",
        )

    on_failure = aws.lambda_.get_function_event_invoke_config(
        FunctionName=function, Qualifier="$LATEST"
    )
    letters = queue_arn(aws, queue)
    destination = on_failure.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    require(
        destination == letters,
        f"the failure destination of {function} is {destination!r}, not the dead-letter queue",
    )

    check_table(aws, outputs)

    url = aws.lambda_.get_function_url_config(FunctionName=outputs["UploadUrlFunctionName"])
    require(url["AuthType"] == "AWS_IAM", f"{url['FunctionUrl']} does not require AWS_IAM")

    sources = {source["EventSourceArn"]: source["State"] for source in event_sources(aws, outputs)}
    expected = {letters: "Disabled"}
    if "DeliveryQueueUrl" in outputs:
        expected[queue_arn(aws, outputs["DeliveryQueueUrl"])] = "Enabled"
    require(sources == expected, f"the event sources of {function} are {sources}, not {expected}")


def check_table(aws: Clients, outputs: dict[str, str]) -> None:
    table = aws.dynamodb.describe_table(TableName=outputs["PhotosTableName"])["Table"]
    indexes = [index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])]
    require("album-timeline" in indexes, f"{table['TableName']} has no index album-timeline")


def check_new_bucket(aws: Clients, outputs: dict[str, str]) -> None:
    bucket = outputs["OriginalsBucketName"]
    configuration = aws.s3.get_bucket_notification_configuration(Bucket=bucket)
    kind, arn = ("LambdaFunction", outputs["ThumbnailFunctionArn"])
    if "DeliveryQueueUrl" in outputs:
        kind, arn = ("Queue", queue_arn(aws, outputs["DeliveryQueueUrl"]))
    notified = [entry[f"{kind}Arn"] for entry in configuration.get(f"{kind}Configurations", [])]
    require(notified == [arn] * 3, f"{bucket} notifies {notified} of uploads, removals and expirations, not {arn}")
    cors = aws.s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
    require(len(cors) == 1, f"the CORS rules of {bucket} are {cors}, not a single one")


def check_existing_bucket(aws: Clients, outputs: dict[str, str]) -> None:
    arn = outputs["ThumbnailFunctionArn"]
    if "DeliveryQueueUrl" in outputs:
        arn = queue_arn(aws, outputs["DeliveryQueueUrl"])
    rules = aws.events.list_rule_names_by_target(TargetArn=arn)["RuleNames"]
    require(len(rules) == 1, f"the EventBridge rules for {arn} are {rules}, not a single one")


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Problem(f"the local AWS did not deploy the template as it is: {otherwise}")


def add_environment(aws: Clients, function: str, environment: dict[str, str]) -> None:
    configuration = aws.lambda_.get_function_configuration(FunctionName=function)
    aws.lambda_.update_function_configuration(
        FunctionName=function,
        Environment={"Variables": configuration["Environment"]["Variables"] | environment},
    )
    aws.lambda_.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig=QUICKLY)


def exists(look: Callable[[], object]) -> bool:
    try:
        look()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 404):
            return False
        raise
    return True
