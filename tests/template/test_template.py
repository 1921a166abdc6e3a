"""What template.yaml promises to whoever deploys it: `make test-template`.

It is looked at as CloudFormation would get it, after SAM's transform; cfn-lint looks at both.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.session import Session
from botocore.validate import ParamValidator
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "dev"))

from photos_dev.dist.plain import LARGEST_IN_S3, as_text, code_keys, plain_template  # noqa: E402

TEMPLATE = ROOT / "template.yaml"
STACK = plain_template(TEMPLATE)
RESOURCES: dict[str, Any] = STACK["Resources"]
PARAMETERS: dict[str, Any] = STACK["Parameters"]
# Where the functions' code is: `sam deploy` fills that in.
CODE = ["CodeBucket", "ThumbnailCodeKey", "UploadUrlCodeKey"]
DEFAULTS = {name: parameter["Default"] for name, parameter in PARAMETERS.items() if name not in CODE}
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def resolved(value: Any, given: dict[str, Any]) -> Any:
    """A value as CloudFormation has it with these parameters and the defaults: its conditions are decided."""
    match value:
        case {"Fn::If": [condition, then, otherwise]}:
            return resolved(then if holds({"Condition": condition}, given) else otherwise, given)
        case {"Ref": name} if name in DEFAULTS:
            return given.get(name, DEFAULTS[name])
        case dict():
            parts = {name: resolved(part, given) for name, part in value.items()}
            return {name: part for name, part in parts.items() if part != {"Ref": "AWS::NoValue"}}
        case list():
            parts = [resolved(part, given) for part in value]
            return [part for part in parts if part != {"Ref": "AWS::NoValue"}]
    return value


def holds(condition: Any, given: dict[str, Any]) -> bool:
    match condition:
        case {"Condition": name}:
            return holds(STACK["Conditions"][name], given)
        case {"Fn::Not": [other]}:
            return not holds(other, given)
        case {"Fn::Or": others}:
            return any(holds(other, given) for other in others)
        case {"Fn::Equals": [left, right]}:
            return str(resolved(left, given)) == str(resolved(right, given))
    raise ValueError(f"not a condition that this test knows: {condition}")


def properties(name: str, **given: Any) -> dict[str, Any]:
    return resolved(RESOURCES[name]["Properties"], given)


def of_type(kind: str) -> dict[str, Any]:
    return {name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == kind}


def inside(value: Any) -> Iterator[Any]:
    """A value and all that is in it."""
    yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from inside(part)


def references(value: Any) -> set[str]:
    """Resources and parameters that a value is made of."""
    found: set[str] = set()
    for part in inside(value):
        match part:
            case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
                found.add(name)
            case {"Fn::Sub": str(text)}:
                found.update(name.split(".")[0] for name in re.findall(r"\$\{([\w.:]+)\}", text))
    return found


def statements(role: str, **given: Any) -> list[dict[str, Any]]:
    policies = properties(role, **given)["Policies"]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def allowed_actions(role: str, **given: Any) -> set[str]:
    return {action for statement in statements(role, **given) for action in as_list(statement["Action"])}


def lint(test: unittest.TestCase, template: Path) -> None:
    result = subprocess.run(
        [Path(sys.executable).parent / "cfn-lint", template], capture_output=True, text=True
    )
    test.assertEqual(result.returncode, 0, result.stdout + result.stderr)


class Lint(unittest.TestCase):
    def test_the_source_passes_cfn_lint(self) -> None:
        lint(self, TEMPLATE)

    def test_what_cloudformation_gets_passes_cfn_lint_which_finds_circles(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            template = Path(folder) / "template.json"
            template.write_text(json.dumps(STACK))
            lint(self, template)

    def test_every_parameter_is_described_limited_and_shown_in_a_group(self) -> None:
        groups = STACK["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        shown = [name for group in groups for name in group["Parameters"]]
        self.assertEqual(sorted(shown), sorted(PARAMETERS))
        for name, parameter in PARAMETERS.items():
            self.assertTrue(parameter["Description"], name)
            self.assertEqual("Default" in parameter, name not in CODE, name)
            limits = {"AllowedValues", "AllowedPattern", "MinValue"} & set(parameter)
            self.assertTrue(limits or parameter["Type"].startswith("CommaDelimited"), name)


class WithoutSam(unittest.TestCase):
    """What a release, the CDK stack and the Terraform module deploy."""

    source: dict[str, Any] = yaml_parse(TEMPLATE.read_text())

    def test_it_needs_no_transform(self) -> None:
        self.assertNotIn("Transform", STACK)
        self.assertEqual([name for name, one in RESOURCES.items() if one["Type"].startswith("AWS::Serverless::")], [])

    def test_only_the_code_is_asked_for_in_addition(self) -> None:
        self.assertEqual({name: PARAMETERS[name] for name in DEFAULTS}, self.source["Parameters"])
        self.assertEqual(list(PARAMETERS), CODE + list(DEFAULTS))
        self.assertEqual(code_keys(STACK), {"thumbnail": "ThumbnailCodeKey", "upload-url": "UploadUrlCodeKey"})
        for name, function in of_type("AWS::Lambda::Function").items():
            self.assertEqual(function["Code"]["S3Bucket"], {"Ref": "CodeBucket"}, name)

    def test_nothing_of_the_source_is_decided_or_left_out(self) -> None:
        for part in ("Conditions", "Rules", "Outputs", "Description"):
            self.assertEqual(STACK.get(part), self.source.get(part), part)
        self.assertLessEqual(set(self.source["Resources"]), set(RESOURCES))
        self.assertEqual(references(self.source) - references(STACK), set())
        for name, resource in self.source["Resources"].items():
            if resource["Type"] != "AWS::Serverless::Function":
                self.assertEqual(RESOURCES[name], resource, name)

    def test_it_is_the_same_text_in_every_region_and_every_run(self) -> None:
        texts = set()
        for region, seed in (("us-east-1", "1"), ("cn-north-1", "2")):
            with tempfile.TemporaryDirectory() as folder:
                output = Path(folder) / "template.json"
                environment = {"PYTHONPATH": str(ROOT / "dev"), "AWS_DEFAULT_REGION": region, "PYTHONHASHSEED": seed}
                command = [sys.executable, "-m", "photos_dev.dist.plain", output]
                subprocess.run(command, env=os.environ | environment, check=True, capture_output=True)
                texts.add(output.read_text())
        self.assertEqual(texts, {as_text(STACK)})

    def test_cloudformation_takes_it_from_s3(self) -> None:
        self.assertLessEqual(len(as_text(STACK).encode()), LARGEST_IN_S3)


class Buckets(unittest.TestCase):
    def test_every_bucket_is_private_encrypted_and_owned(self) -> None:
        buckets = of_type("AWS::S3::Bucket")
        self.assertEqual(set(buckets), {"OriginalsBucket", "ThumbnailsBucket", "BackfillBucket"})
        for name, bucket in buckets.items():
            self.assertEqual(set(bucket["PublicAccessBlockConfiguration"].values()), {True}, name)
            self.assertEqual(len(bucket["PublicAccessBlockConfiguration"]), 4, name)
            self.assertIn("BucketEncryption", bucket, name)
            rules = bucket["OwnershipControls"]["Rules"]
            self.assertEqual(rules, [{"ObjectOwnership": "BucketOwnerEnforced"}], name)

    def test_every_bucket_refuses_what_does_not_come_over_tls(self) -> None:
        policies = {policy["Bucket"]["Ref"]: policy for policy in map(properties, of_type("AWS::S3::BucketPolicy"))}
        self.assertEqual(set(policies), set(of_type("AWS::S3::Bucket")))
        for name, policy in policies.items():
            (statement,) = policy["PolicyDocument"]["Statement"]
            self.assertEqual((statement["Effect"], statement["Principal"]), ("Deny", "*"), name)
            self.assertEqual(statement["Action"], "s3:*", name)
            self.assertEqual(statement["Condition"], {"Bool": {"aws:SecureTransport": "false"}}, name)
            self.assertEqual(len(statement["Resource"]), 2, "the bucket and its objects")

    def test_photos_and_facts_outlive_the_stack_but_not_a_first_deployment_that_fails(self) -> None:
        policies = {name: resource.get("DeletionPolicy") for name, resource in RESOURCES.items()}
        kept = {name for name, policy in policies.items() if policy not in (None, "Delete")}
        self.assertEqual(kept, {"OriginalsBucket", "OriginalsBucketPolicy", "PhotosTable"})
        for name in kept:
            self.assertEqual(policies[name], "RetainExceptOnCreate", name)
            # CloudFormation takes no RetainExceptOnCreate here.
            self.assertEqual(RESOURCES[name]["UpdateReplacePolicy"], "Retain", name)

    def test_names_differ_by_region_and_fit_for_a_stack_as_long_as_the_guide_allows(self) -> None:
        session = Session()
        regions = {
            region
            for partition in session.get_available_partitions()
            for region in session.get_available_regions("s3", partition, allow_non_regional=False)
        }
        self.assertIn("ap-southeast-1", regions)
        longest = 0
        for bucket in of_type("AWS::S3::Bucket").values():
            name = bucket["BucketName"]["Fn::Sub"]
            self.assertEqual(set(re.findall(r"\$\{(.+?)\}", name)), {"AWS::StackName", "AWS::AccountId", "AWS::Region"})
            longest = max(longest, len(re.sub(r"\$\{.+?\}", "", name)) + len("111122223333"))
        # S3 takes 63 characters (Amazon S3 User Guide, "General purpose bucket naming rules").
        room = 63 - longest
        guide = " ".join((ROOT / "docs/deploy.md").read_text().split())
        said = re.search(
            r"at most (\d+) characters less the region's name: (\d+) in `(.+?)`, (\d+) in `(.+?)`, and (\d+) fit everywhere", guide
        )
        self.assertIsNotNone(said)
        total, one, its_region, other, other_region, everywhere = said.groups()
        self.assertEqual(int(total), room)
        self.assertEqual((int(one), int(other)), (room - len(its_region), room - len(other_region)))
        self.assertEqual(int(everywhere), room - max(map(len, regions)))
        self.assertIn(f"at most {everywhere} characters", (ROOT / "samconfig.toml").read_text())
        self.assertIn(f"at most {everywhere} characters", TEMPLATE.read_text())

    def test_old_versions_are_forgotten_also_when_no_new_ones_are_kept_any_more(self) -> None:
        for days, least in ((0, 1), (1, 1), (30, 30)):
            bucket = properties("OriginalsBucket", KeepOldVersionsDays=days)
            (rule,) = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if rule["Id"] == "forget-old-versions"]
            self.assertEqual(rule["NoncurrentVersionExpiration"], {"NoncurrentDays": least}, days)
            self.assertIs(rule["ExpiredObjectDeleteMarker"], True, days)
            self.assertEqual(rule["Status"], "Enabled", days)
            versioning = {"Status": "Enabled"} if days else None
            self.assertEqual(bucket.get("VersioningConfiguration"), versioning, days)

    def test_originals_are_encrypted_with_the_key_that_is_given(self) -> None:
        encryption = properties("OriginalsBucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        self.assertEqual(encryption, [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}])
        bucket = properties("OriginalsBucket", OriginalsKmsKeyArn=KEY)
        (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
        self.assertEqual(encryption, {"ServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True})

    def test_a_key_is_given_by_its_arn_as_policies_want_it(self) -> None:
        pattern = PARAMETERS["OriginalsKmsKeyArn"]["AllowedPattern"]
        for arn in (
            "",
            KEY,
            "arn:aws-cn:kms:cn-northwest-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
            "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        ):
            self.assertRegex(arn, rf"^{pattern}$")
        for other in (KEY.replace(":key/", ":alias/"), KEY.rpartition("/")[2], "alias/photos", KEY + "*", KEY.replace("1111", "*")):
            self.assertNotRegex(other, rf"^{pattern}$")

    def test_uploads_removals_and_expirations_start_the_function(self) -> None:
        bucket = properties("OriginalsBucket")
        self.assertEqual(list(bucket["NotificationConfiguration"]), ["LambdaConfigurations"])
        configurations = bucket["NotificationConfiguration"]["LambdaConfigurations"]
        events = {configuration["Event"] for configuration in configurations}
        self.assertEqual(events, {"s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"})
        for configuration in configurations:
            self.assertEqual(references(configuration["Function"]), {"ThumbnailFunction"})

    def test_no_role_and_no_function_needs_a_bucket_that_needs_the_function(self) -> None:
        needy = of_type("AWS::IAM::Role") | of_type("AWS::Lambda::Function")
        for name, properties in needy.items():
            self.assertFalse(references(properties) & set(of_type("AWS::S3::Bucket")), name)


class Guides(unittest.TestCase):
    def test_the_queue_of_ones_own_that_the_guide_shows_loses_no_photo(self) -> None:
        guide = (ROOT / "docs/operations.md").read_text()
        (snippet,) = re.findall(r"(?ms)^```yaml\n(Uploads:.*?)^```", guide)
        resources = yaml_parse(snippet)
        queue, mapping = resources["Uploads"]["Properties"], resources["UploadsToFunction"]["Properties"]
        self.assertEqual(mapping["FunctionResponseTypes"], ["ReportBatchItemFailures"])
        self.assertGreaterEqual(queue["VisibilityTimeout"], 6 * DEFAULTS["TimeoutSeconds"])
        self.assertEqual(references(queue["RedrivePolicy"]["deadLetterTargetArn"]), {"FailedUploads"})
        with tempfile.TemporaryDirectory() as folder:
            template = Path(folder) / "template.json"
            template.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}))
            lint(self, template)

    def test_what_the_guide_puts_in_the_place_of_stale_notifications_is_what_s3_takes(self) -> None:
        guide = (ROOT / "docs/deploy.md").read_text()
        (text,) = re.findall(r"put-bucket-notification-configuration .*?--notification-configuration '(.+?)'", guide, re.S)
        operation = Session().get_service_model("s3").operation_model("PutBucketNotificationConfiguration")
        asked = {"Bucket": "photos", "NotificationConfiguration": json.loads(text)}
        self.assertFalse(ParamValidator().validate(asked, operation.input_shape).has_errors())
        self.assertEqual(asked["NotificationConfiguration"], {"EventBridgeConfiguration": {}})


class DeadLetters(unittest.TestCase):
    def test_letters_are_kept_for_as_long_as_sqs_can_and_encrypted(self) -> None:
        queue = RESOURCES["DeadLetterQueue"]["Properties"]
        self.assertEqual(queue["MessageRetentionPeriod"], 14 * 24 * 3600)
        self.assertIs(queue["SqsManagedSseEnabled"], True)

    def test_a_letter_stays_invisible_for_six_times_the_longest_timeout(self) -> None:
        longest = PARAMETERS["TimeoutSeconds"]["MaxValue"]
        visibility = RESOURCES["DeadLetterQueue"]["Properties"]["VisibilityTimeout"]
        self.assertGreaterEqual(visibility, 6 * longest)

    def test_the_queue_is_a_disabled_source_of_events(self) -> None:
        sources = of_type("AWS::Lambda::EventSourceMapping").values()
        (source,) = [one for one in sources if references(one["EventSourceArn"]) == {"DeadLetterQueue"}]
        self.assertIs(source["Enabled"], False)
        self.assertEqual(source["BatchSize"], 1)
        self.assertEqual(source["FunctionResponseTypes"], ["ReportBatchItemFailures"])
        self.assertEqual(source["ScalingConfig"], {"MaximumConcurrency": 2})

    def test_what_fails_three_times_goes_to_the_queue(self) -> None:
        (config,) = of_type("AWS::Lambda::EventInvokeConfig").values()
        self.assertEqual(config["MaximumRetryAttempts"], 2)
        destination = config["DestinationConfig"]["OnFailure"]["Destination"]
        self.assertEqual(references(destination), {"DeadLetterQueue"})


class Queue(unittest.TestCase):
    def test_there_is_no_queue_unless_it_is_asked_for(self) -> None:
        self.assertEqual(DEFAULTS["Queue"], "false")
        conditional = {name for name, resource in RESOURCES.items() if resource.get("Condition") == "UsesQueue"}
        self.assertEqual(conditional, {"DeliveryQueue", "DeliveryQueuePolicy", "Delivery", "PhotosWaitInTheQueue"})
        for name, resource in RESOURCES.items():
            needed = references(resolved(resource.get("Properties", {}), {}))
            self.assertFalse(needed & conditional if name not in conditional else set(), name)

    def test_every_event_goes_through_the_queue_and_none_past_it(self) -> None:
        bucket = properties("OriginalsBucket", Queue="true", OriginalsPrefix="uploads/")
        self.assertEqual(list(bucket["NotificationConfiguration"]), ["QueueConfigurations"])
        direct = properties("OriginalsBucket", OriginalsPrefix="uploads/")
        direct = direct["NotificationConfiguration"]["LambdaConfigurations"]
        queued = bucket["NotificationConfiguration"]["QueueConfigurations"]
        self.assertEqual([one["Event"] for one in queued], [one["Event"] for one in direct])
        self.assertEqual([one["Filter"] for one in queued], [one["Filter"] for one in direct])
        self.assertEqual({name for one in queued for name in references(one["Queue"])}, {"DeliveryQueue"})
        (target,) = properties("ExistingBucketEvents", Queue="true")["Targets"]
        self.assertEqual(references(target["Arn"]), {"DeliveryQueue"})
        # The bucket is made after the policy by which it may write to the queue.
        self.assertIn("DeliveryQueuePolicy", references(bucket["Tags"]))

    def test_only_the_bucket_or_its_rule_may_write_to_the_queue(self) -> None:
        for given, service, source in (
            ({}, "s3.amazonaws.com", "arn:${AWS::Partition}:s3:::${AWS::StackName}-originals-${AWS::AccountId}-${AWS::Region}"),
            ({"ExistingOriginalsBucket": "mine"}, "events.amazonaws.com", ["ExistingBucketEvents", "Arn"]),
        ):
            policy = properties("DeliveryQueuePolicy", Queue="true", **given)
            (statement,) = policy["PolicyDocument"]["Statement"]
            self.assertEqual(statement["Principal"], {"Service": service})
            self.assertEqual(statement["Action"], "sqs:SendMessage")
            self.assertEqual(list(statement["Condition"]["ArnEquals"]["aws:SourceArn"].values()), [source])

    def test_a_message_is_tried_as_often_as_lambda_asks_for_then_it_is_a_dead_letter(self) -> None:
        queue = properties("DeliveryQueue", Queue="true")
        self.assertEqual(references(queue["RedrivePolicy"]["deadLetterTargetArn"]), {"DeadLetterQueue"})
        receives = queue["RedrivePolicy"]["maxReceiveCount"]
        self.assertGreaterEqual(receives, 5)
        environment = properties("ThumbnailFunction")["Environment"]["Variables"]
        self.assertEqual(environment["QUEUE_MAX_RECEIVES"], str(receives))
        self.assertGreaterEqual(DEFAULTS["QueueVisibilitySeconds"], 6 * DEFAULTS["TimeoutSeconds"])
        self.assertEqual(queue["VisibilityTimeout"], DEFAULTS["QueueVisibilitySeconds"])

    def test_only_the_messages_that_failed_are_tried_again(self) -> None:
        source = properties("Delivery", Queue="true", QueueWindowSeconds=2)
        self.assertEqual(source["FunctionResponseTypes"], ["ReportBatchItemFailures"])
        self.assertEqual((source["BatchSize"], source["MaximumBatchingWindowInSeconds"]), (10, 2))
        self.assertNotIn("ScalingConfig", source)
        limited = properties("Delivery", Queue="true", QueueMaximumConcurrency=20)
        self.assertEqual(limited["ScalingConfig"], {"MaximumConcurrency": 20})

    def test_the_function_may_take_from_the_queue_only_where_there_is_one(self) -> None:
        self.assertNotIn("TakeFromTheQueue", [statement["Sid"] for statement in statements("ThumbnailRole")])
        (right,) = [one for one in statements("ThumbnailRole", Queue="true") if one["Sid"] == "TakeFromTheQueue"]
        self.assertEqual(set(right["Action"]), REDRIVE)
        self.assertEqual(references(right["Resource"]), {"DeliveryQueue"})

    def test_a_photo_that_waits_for_long_raises_an_alarm(self) -> None:
        alarm = properties("PhotosWaitInTheQueue", Queue="true")
        self.assertEqual(alarm["MetricName"], "ApproximateAgeOfOldestMessage")
        self.assertEqual(references(alarm["Dimensions"][0]["Value"]), {"DeliveryQueue"})


class ManagedInstances(unittest.TestCase):
    """The variant that `make managed-template` writes."""

    stack: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        with tempfile.TemporaryDirectory() as folder:
            variant = Path(folder) / "template.yaml"
            subprocess.run(
                [sys.executable, "-m", "photos_dev.stack.managed_instances", variant],
                env=os.environ | {"PYTHONPATH": str(ROOT / "dev")},
                check=True,
                capture_output=True,
            )
            cls.stack = plain_template(variant)

    def test_what_cloudformation_gets_passes_cfn_lint_which_finds_circles(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            template = Path(folder) / "template.json"
            template.write_text(json.dumps(self.stack))
            lint(self, template)

    def test_the_function_runs_on_the_instances_and_takes_several_events_at_a_time(self) -> None:
        function = self.stack["Resources"]["ThumbnailFunction"]["Properties"]
        (config,) = function["CapacityProviderConfig"].values()
        self.assertEqual(references(config["CapacityProviderArn"]), {"CapacityProvider"})
        self.assertEqual(config["PerExecutionEnvironmentMaxConcurrency"], {"Ref": "EventsPerVCpu"})
        self.assertEqual(config["ExecutionEnvironmentMemoryGiBPerVCpu"], 2)
        self.assertNotIn("ReservedConcurrentExecutions", function)
        self.assertEqual(self.stack["Parameters"]["MemorySize"]["MinValue"], 2048)
        self.assertEqual(self.stack["Resources"]["CapacityProvider"]["Type"], "AWS::Lambda::CapacityProvider")

    def test_events_reach_the_published_version_alone(self) -> None:
        alias = {"Ref": "ThumbnailFunctionAliaslive"}
        resources = self.stack["Resources"]
        for configuration in inside(resources["OriginalsBucket"]["Properties"]["NotificationConfiguration"]):
            if isinstance(configuration, dict) and "Function" in configuration:
                self.assertEqual(configuration["Function"], alias)
        self.assertEqual(resources["OriginalsBucketPermission"]["Properties"]["FunctionName"], alias)
        for name in ("Delivery", "ThumbnailFunctionRedrive"):
            self.assertEqual(resources[name]["Properties"]["FunctionName"], alias)
        (retries,) = [one for one in resources.values() if one["Type"] == "AWS::Lambda::EventInvokeConfig"]
        self.assertEqual(retries["Properties"]["Qualifier"], "live")
        self.assertEqual(self.stack["Outputs"]["ThumbnailFunctionArn"]["Value"], alias)


# What a call of the SDK needs (Service Authorization Reference).
ACTIONS = {
    # And without that right an object that is not there is answered 403 instead of 404.
    ("s3", "head_bucket"): "s3:ListBucket",
    ("s3", "get_object"): "s3:GetObject",
    ("s3", "head_object"): "s3:GetObject",
    ("s3", "put_object"): "s3:PutObject",
    ("s3", "delete_object"): "s3:DeleteObject",
    # Amazon S3 User Guide, "Uploading and copying objects using multipart upload", permissions.
    ("s3", "create_multipart_upload"): "s3:PutObject",
    ("s3", "upload_part"): "s3:PutObject",
    ("dynamodb", "query"): "dynamodb:Query",
    ("dynamodb", "get_item"): "dynamodb:GetItem",
    ("dynamodb", "update_item"): "dynamodb:UpdateItem",
    ("sqs", "send_message"): "sqs:SendMessage",
    ("sqs", "get_queue_attributes"): "sqs:GetQueueAttributes",
}
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
REDRIVE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}


def called_actions(*sources: str) -> set[str]:
    """What the calls in these files need; a call that is not known here fails."""
    paths = [path for source in sources for path in (ROOT / "src").glob(source)]
    text = "".join(path.read_text() for path in paths)
    calls = re.findall(r"\b(s3|dynamodb|sqs)\s*\.\s*(?!clone\b)(\w+)\(\)", text)
    return {ACTIONS[call] for call in calls}


class Rights(unittest.TestCase):
    def test_the_thumbnail_function_may_what_it_calls_and_no_more(self) -> None:
        called = called_actions("aws/*.rs")
        self.assertGreaterEqual(len(called), 6)
        self.assertEqual(allowed_actions("ThumbnailRole"), called | LOGS | REDRIVE)

    def test_the_upload_url_function_may_upload_photos_and_look_for_them_where_that_is_wanted(self) -> None:
        called = called_actions("upload_url/*.rs")
        # No call of the SDK: `signer.rs` makes its URL of that of a part.
        signed = {"s3:AbortMultipartUpload"}
        looks = {"dynamodb:Query", "dynamodb:GetItem"}
        self.assertEqual(called, {"s3:PutObject"} | looks)
        self.assertEqual(allowed_actions("UploadUrlRole"), {"s3:PutObject"} | signed | LOGS)
        self.assertEqual(allowed_actions("UploadUrlRole", FindDuplicates="true"), called | signed | LOGS)
        by_action = {
            str(one["Action"]): one["Resource"] for one in statements("UploadUrlRole", FindDuplicates="true")
        }
        self.assertEqual(by_action["dynamodb:Query"], {"Fn::Sub": "${PhotosTable.Arn}/index/content"})
        self.assertEqual(by_action["dynamodb:GetItem"], {"Fn::GetAtt": ["PhotosTable", "Arn"]})
        (put,) = [one for one in statements("UploadUrlRole") if "s3:PutObject" in one["Action"]]
        bucket = RESOURCES["UploadUrlRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]
        self.assertEqual(bucket["Sid"], put["Sid"])
        self.assertEqual(references(bucket["Resource"]) - {"AWS::Partition", "AWS::StackName", "AWS::AccountId", "AWS::Region"},
                         {"OriginalsPrefix", "ExistingOriginalsBucket"})

    def test_photos_are_indexed_by_their_content_only_where_that_is_wanted(self) -> None:
        table, with_index = properties("PhotosTable"), properties("PhotosTable", FindDuplicates="true")
        names = [index["IndexName"] for index in with_index["GlobalSecondaryIndexes"]]
        self.assertEqual(names, ["album-timeline", "content"])
        self.assertEqual([index["IndexName"] for index in table["GlobalSecondaryIndexes"]], names[:1])
        for one in (table, with_index):
            keys = {
                key["AttributeName"]
                for keyed in (one, *one["GlobalSecondaryIndexes"])
                for key in keyed["KeySchema"]
            }
            # DynamoDB refuses a table that defines other attributes than its keys.
            self.assertEqual({definition["AttributeName"] for definition in one["AttributeDefinitions"]}, keys)
        variables = properties("UploadUrlFunction", FindDuplicates="true")["Environment"]["Variables"]
        self.assertEqual(variables["DUPLICATES_TABLE"], {"Ref": "PhotosTable"})
        self.assertEqual(properties("UploadUrlFunction")["Environment"]["Variables"]["DUPLICATES_TABLE"], "")

    def test_a_key_of_the_originals_may_be_used_by_s3_alone_for_what_the_function_does_there(self) -> None:
        # What S3 asks of KMS in the caller's name (Amazon S3 User Guide, "Using server-side encryption with
        # AWS KMS keys (SSE-KMS)", permissions): no call of the functions' own.
        needed = {"s3:GetObject": {"kms:Decrypt"}, "s3:PutObject": {"kms:GenerateDataKey", "kms:Decrypt"}}
        for role, right in (("ThumbnailRole", "s3:GetObject"), ("UploadUrlRole", "s3:PutObject")):
            without, with_key = allowed_actions(role), allowed_actions(role, OriginalsKmsKeyArn=KEY)
            self.assertEqual(with_key - without, needed[right], role)
            self.assertFalse([action for action in without if action.startswith("kms:")], role)
            (of_key,) = [one for one in statements(role, OriginalsKmsKeyArn=KEY) if "kms:" in str(one["Action"])]
            self.assertEqual(of_key["Effect"], "Allow", role)
            self.assertEqual(of_key["Resource"], KEY, role)
            through_s3 = {"StringEquals": {"kms:ViaService": {"Fn::Sub": "s3.${AWS::Region}.${AWS::URLSuffix}"}}}
            self.assertEqual(of_key["Condition"], through_s3, role)

    def test_traces_are_written_only_where_they_are_asked_for(self) -> None:
        for role, function in (("ThumbnailRole", "ThumbnailFunction"), ("UploadUrlRole", "UploadUrlFunction")):
            self.assertEqual(allowed_actions(role, Tracing="Active") - allowed_actions(role), TRACES, role)
            for mode in PARAMETERS["Tracing"]["AllowedValues"]:
                self.assertEqual(properties(function, Tracing=mode)["TracingConfig"], {"Mode": mode}, function)
        self.assertEqual(DEFAULTS["Tracing"], "PassThrough")

    def test_only_who_may_call_the_function_gets_upload_urls(self) -> None:
        (url,) = of_type("AWS::Lambda::Url").values()
        self.assertEqual(url["AuthType"], "AWS_IAM")
        policy = RESOURCES["UploadUrlCallers"]["Properties"]["PolicyDocument"]
        actions = {statement["Action"] for statement in policy["Statement"]}
        self.assertEqual(actions, {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"})
        for statement in policy["Statement"]:
            self.assertEqual(references(statement["Resource"]), {"UploadUrlFunction"})

    def test_nothing_is_allowed_on_everything_but_traces_which_belong_to_nothing(self) -> None:
        roles = of_type("AWS::IAM::Role")
        self.assertIn("ThumbnailRole", roles)
        for role in roles:
            for statement in statements(role, OriginalsKmsKeyArn=KEY, Tracing="Active"):
                actions = set(as_list(statement["Action"]))
                self.assertFalse([action for action in actions if "*" in action], f"{role}: {statement}")
                for resource in as_list(statement["Resource"]):
                    self.assertEqual(resource == "*", actions <= TRACES, f"{role}: {statement}")

    def test_what_a_browser_may_do_is_to_upload(self) -> None:
        (rule,) = RESOURCES["OriginalsBucket"]["Properties"]["CorsConfiguration"]["CorsRules"]
        # A photo or a part of one, and the end of an upload in parts.
        self.assertEqual(rule["AllowedMethods"], ["PUT", "POST", "DELETE"])
        signed = {"content-type", "if-none-match", "x-amz-checksum-sha256", "x-amz-storage-class"}
        self.assertEqual(set(rule["AllowedHeaders"]), signed)
        self.assertEqual(rule["ExposedHeaders"], ["ETag"])

    def test_originals_are_read_below_the_prefix_alone_and_renditions_removed_wherever_they_were_made(self) -> None:
        by_id = {statement["Sid"]: statement for statement in statements("ThumbnailRole")}
        self.assertEqual(by_id["ReadOriginals"]["Action"], "s3:GetObject")
        self.assertIn("OriginalsPrefix", references(by_id["ReadOriginals"]["Resource"]))
        renditions = by_id["WriteRenditions"]
        self.assertEqual(set(renditions["Action"]), {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"})
        # A former prefix or name: the renditions under it go with their photo.
        bucket = RESOURCES["ThumbnailsBucket"]["Properties"]["BucketName"]["Fn::Sub"]
        self.assertEqual(renditions["Resource"], {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{bucket}/*"})

    def test_missing_objects_are_told_without_a_condition_on_the_prefix(self) -> None:
        (statement,) = [one for one in statements("ThumbnailRole") if one["Action"] == "s3:ListBucket"]
        self.assertNotIn("Condition", statement)


class Backfill(unittest.TestCase):
    # The names alone, as neither the role nor its policy refers to a bucket.
    originals = "arn:${AWS::Partition}:s3:::${AWS::StackName}-originals-${AWS::AccountId}-${AWS::Region}"
    bucket = "arn:${AWS::Partition}:s3:::${AWS::StackName}-backfill-${AWS::AccountId}-${AWS::Region}"
    logical = {"BackfillRole", "BackfillBucket", "BackfillBucketPolicy"}

    def rights(self, **given: Any) -> dict[str, set[str]]:
        """What the role may do, by right."""
        rights: dict[str, set[str]] = {}
        for statement in statements("BackfillRole", **given):
            self.assertEqual(statement["Effect"], "Allow")
            resources = [resource.get("Fn::Sub") or ".".join(resource["Fn::GetAtt"]) for resource in as_list(statement["Resource"])]
            for action in as_list(statement["Action"]):
                rights.setdefault(action, set()).update(resources)
        return rights

    def test_there_is_nothing_of_it_unless_it_is_asked_for(self) -> None:
        self.assertEqual(DEFAULTS["Backfill"], "false")
        conditional = {name for name, resource in RESOURCES.items() if resource.get("Condition") == "Backfills"}
        self.assertEqual(conditional, self.logical)
        self.assertEqual({name for name in RESOURCES if name.startswith("Backfill")}, self.logical)
        outputs = {name for name, output in STACK["Outputs"].items() if output.get("Condition") == "Backfills"}
        self.assertEqual(outputs, {"BackfillRoleArn", "BackfillBucketName"})
        self.assertFalse(holds({"Condition": "Backfills"}, {}))
        self.assertTrue(holds({"Condition": "Backfills"}, {"Backfill": "true"}))

    def test_nothing_else_needs_what_may_not_be_there(self) -> None:
        for name in set(RESOURCES) - self.logical:
            self.assertFalse(references(RESOURCES[name]) & self.logical, name)

    def test_jobs_may_invoke_the_function_and_keep_lists_and_reports_and_no_more(self) -> None:
        manifests, reports = f"{self.bucket}/manifests/*", f"{self.bucket}/reports/*"
        expected = {
            "lambda:InvokeFunction": {"ThumbnailFunction.Arn"},
            "s3:PutInventoryConfiguration": {self.originals},
            "s3:GetObject": {manifests},
            "s3:GetObjectVersion": {manifests},
            "s3:PutObject": {manifests, reports},
        }
        self.assertEqual(self.rights(), expected)
        # The function alone reads photos, so the role needs no key of theirs.
        self.assertEqual(self.rights(OriginalsKmsKeyArn=KEY), expected)
        existing = self.rights(ExistingOriginalsBucket="mine")["s3:PutInventoryConfiguration"]
        self.assertEqual(existing, {"arn:${AWS::Partition}:s3:::${ExistingOriginalsBucket}"})

    def test_only_batch_operations_takes_the_role(self) -> None:
        (trust,) = RESOURCES["BackfillRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        self.assertEqual(trust["Principal"], {"Service": "batchoperations.s3.amazonaws.com"})
        self.assertEqual(trust["Action"], "sts:AssumeRole")

    def test_reports_are_forgotten_after_a_month(self) -> None:
        bucket = RESOURCES["BackfillBucket"]["Properties"]
        self.assertEqual("arn:${AWS::Partition}:s3:::" + bucket["BucketName"]["Fn::Sub"], self.bucket)
        (rule,) = bucket["LifecycleConfiguration"]["Rules"]
        self.assertEqual((rule["Status"], rule["ExpirationInDays"]), ("Enabled", 30))
        self.assertFalse({"Prefix", "TagFilters"} & set(rule), "it holds for every object")


def public_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


class Delivery(unittest.TestCase):
    pem = public_pem(ec.generate_private_key(ec.SECP256R1()))
    cloudfront = {name for name, resource in RESOURCES.items() if resource["Type"].startswith("AWS::CloudFront::")}
    bucket_policy = "ThumbnailsBucketPolicy"

    def there(self, **given: Any) -> set[str]:
        """The CloudFront resources that a stack with these parameters has."""
        return {name for name in self.cloudfront if holds({"Condition": RESOURCES[name]["Condition"]}, given)}

    def distribution(self, **given: Any) -> dict[str, Any]:
        return properties("Distribution", DeliveryPublicKey=self.pem, **given)["DistributionConfig"]

    def test_there_is_nothing_of_it_unless_a_key_is_given(self) -> None:
        self.assertEqual(len(self.cloudfront), 7)
        self.assertEqual(self.there(), set())
        self.assertEqual(self.there(DeliveryDomain="photos.example.com", DeliveryCertificateArn="arn"), set())
        for name in set(RESOURCES) - self.cloudfront:
            needed = references(resolved(RESOURCES[name].get("Properties", {}), {}))
            self.assertFalse(needed & self.cloudfront, name)
        for name, output in STACK["Outputs"].items():
            if references(output["Value"]) & self.cloudfront:
                self.assertFalse(holds({"Condition": output["Condition"]}, {}), name)

    def test_no_rendition_is_read_without_a_signature(self) -> None:
        distribution = self.distribution()
        self.assertNotIn("CacheBehaviors", distribution)
        behaviour = distribution["DefaultCacheBehavior"]
        self.assertEqual(behaviour["TrustedKeyGroups"], [{"Ref": "DistributionKeys"}])
        self.assertEqual(behaviour["ViewerProtocolPolicy"], "https-only")
        for methods in ("AllowedMethods", "CachedMethods"):
            self.assertEqual(behaviour[methods], ["GET", "HEAD"])
        (origin,) = distribution["Origins"]
        self.assertEqual(references(origin["DomainName"]), {"ThumbnailsBucket"})
        self.assertEqual(behaviour["TargetOriginId"], origin["Id"])

    def test_the_distribution_alone_may_read_the_bucket_and_only_objects(self) -> None:
        def granted(**given: Any) -> list[dict[str, Any]]:
            policy = properties(self.bucket_policy, **given)["PolicyDocument"]["Statement"]
            self.assertIn("OnlyOverTls", [statement["Sid"] for statement in policy])
            return [statement for statement in policy if statement["Effect"] != "Deny"]

        self.assertEqual(granted(), [])
        (right,) = granted(DeliveryPublicKey=self.pem)
        self.assertEqual(right["Principal"], {"Service": "cloudfront.amazonaws.com"})
        self.assertEqual(right["Action"], "s3:GetObject")
        self.assertEqual(right["Resource"], {"Fn::Sub": "arn:${AWS::Partition}:s3:::${ThumbnailsBucket}/*"})
        arn = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}"
        self.assertEqual(right["Condition"], {"StringEquals": {"aws:SourceArn": {"Fn::Sub": arn}}})
        for role in ("ThumbnailRole", "UploadUrlRole"):
            self.assertEqual(statements(role, DeliveryPublicKey=self.pem), statements(role), role)

    def test_cloudfront_signs_what_it_asks_s3(self) -> None:
        (origin,) = self.distribution()["Origins"]
        self.assertEqual(references(origin["OriginAccessControlId"]), {"DistributionAccess"})
        access = properties("DistributionAccess")["OriginAccessControlConfig"]
        self.assertEqual(access["OriginAccessControlOriginType"], "s3")
        self.assertEqual((access["SigningBehavior"], access["SigningProtocol"]), ("always", "sigv4"))

    def test_either_key_signs_so_that_one_can_take_the_others_place(self) -> None:
        either = (("DeliveryPublicKey", "DistributionKey"), ("DeliveryPublicKey2", "DistributionKey2"))
        for parameter, key in either:
            given = {parameter: self.pem}
            self.assertEqual(self.there(**given), self.cloudfront - {name for _, name in either} | {key})
            self.assertEqual(properties("DistributionKeys", **given)["KeyGroupConfig"]["Items"], [{"Ref": key}])
            self.assertEqual(properties(key, **given)["PublicKeyConfig"]["EncodedKey"], self.pem)
        both = properties("DistributionKeys", DeliveryPublicKey="a", DeliveryPublicKey2="b")["KeyGroupConfig"]["Items"]
        self.assertEqual(both, [{"Ref": name} for _, name in either])
        configs = [RESOURCES[name]["Properties"]["PublicKeyConfig"] for _, name in either]
        for unique in ("Name", "CallerReference"):
            self.assertNotEqual(configs[0][unique], configs[1][unique])

    def test_keys_are_taken_as_openssl_writes_them(self) -> None:
        keys = (ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048))
        private = keys[0].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for parameter in ("DeliveryPublicKey", "DeliveryPublicKey2"):
            pattern = PARAMETERS[parameter]["AllowedPattern"]
            for pem in map(public_pem, keys):
                for taken in (pem, pem.rstrip("\n"), pem.replace("\n", "\r\n")):
                    self.assertIsNotNone(re.fullmatch(pattern, taken), taken)
                for refused in (pem.replace("\n", " "), pem.replace("\n", ""), pem[:80], pem + pem):
                    self.assertIsNone(re.fullmatch(pattern, refused), refused)
            self.assertIsNone(re.fullmatch(pattern, private.decode()))

    def test_the_version_is_the_only_parameter_that_counts_and_that_s3_sees(self) -> None:
        self.assertEqual(self.distribution()["DefaultCacheBehavior"]["CachePolicyId"], {"Ref": "DistributionCache"})
        self.assertNotIn("OriginRequestPolicyId", self.distribution()["DefaultCacheBehavior"])
        cache = properties("DistributionCache")["CachePolicyConfig"]
        self.assertEqual(cache["ParametersInCacheKeyAndForwardedToOrigin"], {
            "QueryStringsConfig": {"QueryStringBehavior": "whitelist", "QueryStrings": ["v"]},
            "CookiesConfig": {"CookieBehavior": "none"},
            "HeadersConfig": {"HeaderBehavior": "none"},
            "EnableAcceptEncodingGzip": False,
            "EnableAcceptEncodingBrotli": False,
        })

    def test_errors_are_not_kept_and_pictures_for_a_day(self) -> None:
        cache = properties("DistributionCache")["CachePolicyConfig"]
        self.assertEqual((cache["MinTTL"], cache["DefaultTTL"], cache["MaxTTL"]), (0, 86400, 86400))
        # Amazon CloudFront Developer Guide, "HTTP 4xx and 5xx status codes that CloudFront caches".
        kept = {400, 403, 404, 405, 414, 500, 501, 502, 503, 504}
        errors = self.distribution()["CustomErrorResponses"]
        self.assertEqual([set(error) for error in errors], [{"ErrorCode", "ErrorCachingMinTTL"}] * len(kept))
        self.assertEqual({error["ErrorCode"]: error["ErrorCachingMinTTL"] for error in errors}, dict.fromkeys(kept, 0))

    def test_browsers_take_a_picture_for_nothing_else_and_only_on_pages_of_its_site(self) -> None:
        policy = self.distribution()["DefaultCacheBehavior"]["ResponseHeadersPolicyId"]
        self.assertEqual(policy, {"Ref": "DistributionHeaders"})
        for given, pages in (({}, "cross-origin"), (self.domain, "same-site")):
            headers = properties("DistributionHeaders", **given)["ResponseHeadersPolicyConfig"]
            self.assertEqual(headers["SecurityHeadersConfig"], {"ContentTypeOptions": {"Override": True}})
            (header,) = headers["CustomHeadersConfig"]["Items"]
            self.assertEqual((header["Header"], header["Value"]), ("Cross-Origin-Resource-Policy", pages))

    domain = {
        "DeliveryDomain": "photos.example.com",
        "DeliveryCertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/1234abcd-12ab-34cd-56ef-1234567890ab",
    }

    def test_a_domain_comes_with_its_certificate(self) -> None:
        self.assertNotIn("Aliases", self.distribution())
        self.assertEqual(self.distribution()["ViewerCertificate"], {"CloudFrontDefaultCertificate": True})
        ours = self.distribution(**self.domain)
        self.assertEqual(ours["Aliases"], ["photos.example.com"])
        self.assertEqual(ours["ViewerCertificate"]["AcmCertificateArn"], self.domain["DeliveryCertificateArn"])
        for name, value in self.domain.items():
            self.assertRegex(value, f"^{PARAMETERS[name]['AllowedPattern']}$")
        elsewhere = self.domain["DeliveryCertificateArn"].replace("us-east-1", "eu-west-1")
        self.assertNotRegex(elsewhere, f"^{PARAMETERS['DeliveryCertificateArn']['AllowedPattern']}$")
        for alone in self.domain:
            refused = [rule for rule in STACK["Rules"].values() if holds(rule["RuleCondition"], {alone: self.domain[alone]})]
            (assertion,) = [assertion for rule in refused for assertion in rule["Assertions"]]
            self.assertFalse(holds(assertion["Assert"], {alone: self.domain[alone]}), alone)
            self.assertTrue(holds(assertion["Assert"], self.domain))


class Operation(unittest.TestCase):
    def test_logs_are_forgotten_after_a_while_and_written_by_the_functions_own_rights(self) -> None:
        groups = of_type("AWS::Logs::LogGroup")
        for name, function in of_type("AWS::Lambda::Function").items():
            group = groups[function["LoggingConfig"]["LogGroup"]["Ref"]]
            self.assertEqual(references(group["RetentionInDays"]), {"LogRetentionDays"}, name)
            self.assertEqual(function["LoggingConfig"]["LogFormat"], "JSON", name)

    def test_every_alarm_is_sent_and_says_what_it_means(self) -> None:
        alarms = of_type("AWS::CloudWatch::Alarm")
        self.assertGreaterEqual(len(alarms), 6)
        for name, alarm in alarms.items():
            self.assertEqual(references(alarm["AlarmActions"]), {"Alarms"}, name)
            self.assertTrue(alarm["AlarmDescription"], name)
            self.assertEqual(alarm["TreatMissingData"], "notBreaching", name)

    def test_both_functions_tell_of_errors_and_of_throttling(self) -> None:
        alarms = of_type("AWS::CloudWatch::Alarm").values()
        for metric in ("Errors", "Throttles"):
            told = [alarm["Dimensions"][0]["Value"]["Ref"] for alarm in alarms if alarm["MetricName"] == metric]
            self.assertEqual(sorted(told), ["ThumbnailFunction", "UploadUrlFunction"], metric)

    def test_upload_urls_are_given_for_what_the_thumbnail_function_takes(self) -> None:
        thumbnail, upload_url = (
            properties(name)["Environment"]["Variables"] for name in ("ThumbnailFunction", "UploadUrlFunction")
        )
        for name in ("ORIGINALS_BUCKET", "ORIGINALS_PREFIX", "MAX_PHOTO_BYTES", "HEIC"):
            self.assertEqual(thumbnail[name], upload_url[name], name)
        refusing = properties("UploadUrlFunction", Heic="refuse")["Environment"]["Variables"]
        self.assertEqual(refusing["HEIC"], "refuse")

    def test_log_levels_are_those_that_the_functions_write(self) -> None:
        self.assertEqual(PARAMETERS["LogLevel"]["AllowedValues"], ["error", "warn", "info"])

    def test_alarms_and_dashboard_look_at_metrics_that_the_function_writes(self) -> None:
        telemetry = (ROOT / "src" / "telemetry.rs").read_text()
        (namespace,) = re.findall(r'NAMESPACE: &str = "(\w+)"', telemetry)
        disposition = (ROOT / "src" / "disposition.rs").read_text()
        outcomes = set(re.findall(r'\(\s*"(?:ERROR|INFO|WARN)",\s*"([a-z]+)",', disposition))
        written = set(re.findall(r'writer\.value\("(\w+)"', telemetry)) | outcomes
        (dashboard,) = of_type("AWS::CloudWatch::Dashboard").values()
        body = json.loads(re.sub(r"\$\{[\w.:]+\}", "0", dashboard["DashboardBody"]["Fn::Sub"]))
        shown = [metric[1] for widget in body["widgets"] for metric in widget["properties"]["metrics"] if metric[0] == namespace]
        alarmed = [alarm["MetricName"] for alarm in of_type("AWS::CloudWatch::Alarm").values() if alarm["Namespace"] == namespace]
        self.assertGreaterEqual(len(shown), 12)
        self.assertTrue(alarmed)
        self.assertLessEqual(set(shown + alarmed), written)
        self.assertLessEqual(outcomes, set(shown), "an outcome that the dashboard does not show")

    def test_the_table_can_be_brought_back_and_listened_to(self) -> None:
        table = RESOURCES["PhotosTable"]["Properties"]
        self.assertIs(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], True)
        self.assertEqual(table["StreamSpecification"], {"StreamViewType": "NEW_AND_OLD_IMAGES"})
        self.assertEqual(table["TimeToLiveSpecification"], {"AttributeName": "expiresAt", "Enabled": True})
        self.assertEqual(table["BillingMode"], "PAY_PER_REQUEST")


if __name__ == "__main__":
    unittest.main()
