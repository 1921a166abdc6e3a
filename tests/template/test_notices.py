"""What template.yaml promises of notices, and that docs/notices.md shows a template that CloudFormation takes."""

from __future__ import annotations

import json
import re
import tempfile
import unittest
from pathlib import Path
from typing import Any

from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse
from test_template import (
    DEFAULTS,
    PARAMETERS,
    RESOURCES,
    ROOT,
    STACK,
    as_list,
    holds,
    lint,
    properties,
    references,
    resolved,
    statements,
)

PAGE = (ROOT / "docs/notices.md").read_text()
ON = {"Notices": "true"}


class Notices(unittest.TestCase):
    logical = {
        "NoticesTopic", "NoticesTopicPolicy", "NoticesPipe", "NoticesRole", "NoticeLetters", "NoticeLettersNotEmpty",
        "NoticesFail",
    }
    source = properties("NoticesPipe", **ON)["SourceParameters"]["DynamoDBStreamParameters"]

    def test_there_is_nothing_of_it_unless_it_is_asked_for(self) -> None:
        self.assertEqual(DEFAULTS["Notices"], "false")
        self.assertEqual(PARAMETERS["Notices"]["AllowedValues"], ["true", "false"])
        self.assertFalse(holds({"Condition": "SendsNotices"}, {}))
        self.assertTrue(holds({"Condition": "SendsNotices"}, ON))
        conditional = {name for name, resource in RESOURCES.items() if resource.get("Condition") == "SendsNotices"}
        self.assertEqual(conditional, self.logical)
        self.assertEqual({name for name in RESOURCES if name.startswith("Notice")}, self.logical)
        outputs = {name for name, output in STACK["Outputs"].items() if output.get("Condition") == "SendsNotices"}
        self.assertEqual(outputs, {"NoticesTopicArn", "NoticeLettersUrl"})

    def test_nothing_else_changes_where_it_is_on(self) -> None:
        for name in set(RESOURCES) - self.logical:
            self.assertFalse(references(RESOURCES[name]) & self.logical, name)
            before, after = (resolved(RESOURCES[name].get("Properties", {}), given) for given in ({}, ON))
            self.assertEqual(before, after, name)

    def test_the_pipe_may_read_the_stream_publish_and_keep_what_fails_and_no_more(self) -> None:
        rights: dict[str, set[str]] = {}
        for statement in statements("NoticesRole", **ON):
            self.assertEqual(statement["Effect"], "Allow")
            resource = statement["Resource"]
            name = ".".join(resource["Fn::GetAtt"]) if "Fn::GetAtt" in resource else resource["Ref"]
            for action in as_list(statement["Action"]):
                rights.setdefault(action, set()).add(name)
        stream = {"PhotosTable.StreamArn"}
        self.assertEqual(rights, {
            "dynamodb:DescribeStream": stream,
            "dynamodb:GetRecords": stream,
            "dynamodb:GetShardIterator": stream,
            "dynamodb:ListStreams": stream,
            "sns:Publish": {"NoticesTopic"},
            "sqs:SendMessage": {"NoticeLetters.Arn"},
        })

    def test_only_this_pipe_takes_the_role(self) -> None:
        (trust,) = RESOURCES["NoticesRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        self.assertEqual((trust["Principal"], trust["Action"]), ({"Service": "pipes.amazonaws.com"}, "sts:AssumeRole"))
        account, (pipe,) = trust["Condition"]["StringEquals"], trust["Condition"]["ArnEquals"].values()
        self.assertEqual(account, {"aws:SourceAccount": {"Ref": "AWS::AccountId"}})
        name = RESOURCES["NoticesPipe"]["Properties"]["Name"]["Fn::Sub"]
        self.assertEqual(pipe["Fn::Sub"], "arn:${AWS::Partition}:pipes:${AWS::Region}:${AWS::AccountId}:pipe/" + name)

    def test_messages_are_encrypted_and_published_over_tls_alone(self) -> None:
        self.assertEqual(properties("NoticesTopic", **ON), {"KmsMasterKeyId": "alias/aws/sns"})
        policy = properties("NoticesTopicPolicy", **ON)
        self.assertEqual(references(policy["Topics"]), {"NoticesTopic"})
        (statement,) = policy["PolicyDocument"]["Statement"]
        self.assertEqual((statement["Effect"], statement["Principal"]), ("Deny", "*"))
        self.assertEqual((statement["Action"], references(statement["Resource"])), ("sns:Publish", {"NoticesTopic"}))
        self.assertEqual(statement["Condition"], {"Bool": {"aws:SecureTransport": "false"}})

    def test_no_change_is_missed_while_the_pipe_is_made(self) -> None:
        pipe = properties("NoticesPipe", **ON)
        self.assertEqual(pipe["Source"], {"Fn::GetAtt": ["PhotosTable", "StreamArn"]})
        self.assertEqual(references(pipe["Target"]), {"NoticesTopic"})
        self.assertEqual(self.source["StartingPosition"], "TRIM_HORIZON")
        self.assertNotIn("ParallelizationFactor", self.source, "1, so that the changes of a photo keep their order")

    def test_what_cannot_be_published_is_kept_before_the_stream_forgets_it_and_holds_nobody_up(self) -> None:
        self.assertLess(self.source["MaximumRecordAgeInSeconds"], 24 * 3600)
        self.assertTrue(0 < self.source["MaximumRetryAttempts"] < 100)
        self.assertEqual(self.source["OnPartialBatchItemFailure"], "AUTOMATIC_BISECT")
        self.assertEqual(references(self.source["DeadLetterConfig"]), {"NoticeLetters"})
        letters = properties("NoticeLetters", **ON)
        self.assertEqual((letters["MessageRetentionPeriod"], letters["SqsManagedSseEnabled"]), (14 * 24 * 3600, True))

    def test_the_page_says_how_long_the_pipe_tries(self) -> None:
        tries, hours = re.findall(r"after (\d+) tries, or within (\d+) hours, is given up", " ".join(PAGE.split()))[0]
        self.assertEqual(int(tries), self.source["MaximumRetryAttempts"])
        self.assertEqual(int(hours) * 3600, self.source["MaximumRecordAgeInSeconds"])

    def test_what_was_given_up_and_what_fails_raise_alarms(self) -> None:
        letters, failing = properties("NoticeLettersNotEmpty", **ON), properties("NoticesFail", **ON)
        self.assertEqual(letters["MetricName"], "ApproximateNumberOfMessagesVisible")
        self.assertEqual(references(letters["Dimensions"][0]["Value"]), {"NoticeLetters"})
        self.assertEqual((failing["Namespace"], failing["MetricName"]), ("AWS/EventBridge/Pipes", "ExecutionFailed"))
        pipe = RESOURCES["NoticesPipe"]["Properties"]["Name"]
        self.assertEqual(failing["Dimensions"], [{"Name": "PipeName", "Value": pipe}])


def worker_stack() -> dict[str, Any]:
    """The page's template after SAM's transform."""
    (source,) = re.findall(r"(?ms)^```yaml\n(.*?)^```$", PAGE)
    template = yaml_parse(source)
    template["Resources"]["Worker"]["Properties"]["CodeUri"] = "s3://bucket/code.zip"  # as `sam deploy` has it
    return transform(template, {}, ManagedPolicyLoader(None))


class Worker(unittest.TestCase):
    stack = worker_stack()

    def test_what_cloudformation_gets_of_the_pages_template_passes_cfn_lint(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            template = Path(folder) / "template.json"
            template.write_text(json.dumps(self.stack))
            lint(self, template)

    def test_the_topic_invokes_the_worker_and_what_fails_there_goes_to_a_queue(self) -> None:
        types = {resource["Type"]: resource["Properties"] for resource in self.stack["Resources"].values()}
        self.assertEqual(types["AWS::SNS::Subscription"]["TopicArn"], {"Ref": "Topic"})
        self.assertEqual(types["AWS::Lambda::Permission"]["Principal"], "sns.amazonaws.com")
        self.assertIn("AWS::SQS::Queue", types)
        self.assertIn("OnFailure", types["AWS::Lambda::EventInvokeConfig"]["DestinationConfig"])

    def test_the_worker_is_given_every_variable_that_it_reads(self) -> None:
        (code,) = re.findall(r"(?ms)^```python\n(.*?)^```$", PAGE)
        read = set(re.findall(r"os\.environ\[['\"](\w+)['\"]\]", code))
        (function,) = [one for one in self.stack["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
        self.assertEqual(set(function["Properties"]["Environment"]["Variables"]), read)


if __name__ == "__main__":
    unittest.main()
