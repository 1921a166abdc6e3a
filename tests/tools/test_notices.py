"""Whether the filter and the input template of the pipe make the notices that docs/notices.md promises, of records that
the local AWS's stream gave; and what the page's worker, its filter policies and its bill say of them.

notices/records.json has the records, each with the photo's story. They were read from the stream of a deployed stack.
"""

from __future__ import annotations

import json
import os
import re
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from boto3.dynamodb.types import TypeDeserializer

from photos_dev.benches.load import prices
from photos_dev.faults.judge import untold
from photos_dev.local_aws import notices, pipe
from photos_dev.local_aws.pipe import Refused, matches, rendered
from photos_dev.stack import worker

RECORDS: dict[str, dict[str, Any]] = json.loads((Path(__file__).with_name("notices") / "records.json").read_text())
PAGE = worker.PAGE.read_text()
TOLD = {
    "a photo is ready": "READY",
    "a photo with an odd key and no facts is ready": "READY",
    "it was uploaded again": "READY",
    "the application wrote": "READY",
    "a file is no photo": "FAILED",
    "a photo was removed": "DELETED",
}
UNTOLD = {"a tombstone of no photo", "a tombstone once more", "a tombstone was forgotten"}


def passes(record: dict[str, Any]) -> bool:
    return any(matches(pattern, record) for pattern in notices.patterns())


def notice(story: str) -> dict[str, Any]:
    return json.loads(rendered(notices.input_template(), RECORDS[story]))


class Filter(unittest.TestCase):
    def test_every_record_is_of_a_story_that_is_told_or_untold(self) -> None:
        self.assertEqual(set(RECORDS), set(TOLD) | UNTOLD)

    def test_photos_that_are_ready_or_failed_or_removed_are_told(self) -> None:
        for story in TOLD:
            self.assertTrue(passes(RECORDS[story]), story)

    def test_tombstones_of_no_photo_and_removals_of_tombstones_are_not_told(self) -> None:
        for story in UNTOLD:
            self.assertFalse(passes(RECORDS[story]), story)

    def test_a_pattern_asks_for_each_of_its_members(self) -> None:
        pattern = {"a": {"b": ["x", "y"]}, "c": ["z"]}
        self.assertTrue(matches(pattern, {"a": {"b": "y", "more": 1}, "c": "z"}))
        for event in ({}, {"a": {"b": "y"}}, {"a": {"b": "w"}, "c": "z"}, {"a": "y", "c": "z"}, {"a": {}, "c": "z"}):
            self.assertFalse(matches(pattern, event), event)

    def test_patterns_that_the_interpreter_does_not_know_are_refused(self) -> None:
        for rule in (1, None, {"anything-but": "x"}, {"exists": True}, {"numeric": [">", 1]}, {"prefix": "x", "suffix": "y"}, {"prefix": 1}):
            with self.subTest(rule=rule), self.assertRaises(Refused):
                matches({"a": [rule]}, {"a": "x"})
        for pattern in ({}, {"a": []}, {"a": "x"}, {"a": {}}, []):
            with self.subTest(pattern=pattern), self.assertRaises(Refused):
                matches(pattern, {"a": "x"})
        with self.assertRaises(Refused):
            matches({"a": ["x"]}, {"a": ["x"]})


class Template(unittest.TestCase):
    def test_a_notice_has_its_version_the_status_and_the_item_as_it_is(self) -> None:
        for story, status in TOLD.items():
            image = RECORDS[story]["dynamodb"]["NewImage"]
            self.assertEqual(notice(story), {"version": "1", "status": status, "item": image}, story)

    def test_what_an_item_lacks_is_absent_in_its_notice(self) -> None:
        items = {story: set(notice(story)["item"]) for story in TOLD}
        self.assertFalse({"takenAt", "location", "camera"} & items["a photo with an odd key and no facts is ready"])
        self.assertTrue({"takenAt", "location", "camera", "exif"} <= items["a photo is ready"])
        self.assertFalse({"renditions"} & items["a file is no photo"])
        self.assertFalse({"album", "failure", "renditions"} & items["a photo was removed"])

    def test_texts_may_have_quotes_and_backslashes(self) -> None:
        odd = notice("a photo with an odd key and no facts is ready")["item"]["photoKey"]["S"]
        message = notice("a file is no photo")["item"]["failure"]["M"]["message"]["S"]
        for character in ('"', "\\"):
            self.assertIn(character, odd)
        self.assertIn('"', message)

    def test_a_notice_fits_into_a_message_of_sns(self) -> None:
        for story in TOLD:
            self.assertLess(len(json.dumps(notice(story)).encode()), 65_536, story)

    def test_what_aws_leaves_open_is_refused(self) -> None:
        ready = RECORDS["a photo with an odd key and no facts is ready"]
        image = "$.dynamodb.NewImage"
        for template, why in (
            (f'{{"failure": <{image}.failure>}}', "lacks"),
            (f'{{"takenAt": "<{image}.takenAt.S>"}}', "lacks"),
            (f'{{"photoKey": "<{image}.photoKey.S>"}}', "not escaped"),
            (f'{{"status": <{image}.status.S>}}', "between quotes"),
            (f'{{"item": "<{image}>"}}', "quotes inside"),
            (f'{{"item": <{image}.*>}}', "a template with"),
            ('{"first": <$.list[0]>}', "a template with"),
            ('{"event": <aws.pipes.event.json>}', "a template with"),
            (f'{{"item": <{image}>,}}', "no JSON"),
        ):
            with self.subTest(template=template), self.assertRaisesRegex(Refused, why):
                rendered(template, ready)

    def test_the_local_function_publishes_what_passes_and_nothing_else(self) -> None:
        settings = {
            "PATTERNS": json.dumps(notices.patterns()), "INPUT_TEMPLATE": notices.input_template(), "TOPIC": "arn:topic",
        }
        with mock.patch.dict(os.environ, settings), mock.patch("boto3.client") as client:
            for record in RECORDS.values():
                pipe.handler({"Records": [{"Sns": {"Message": json.dumps(record)}}]}, None)
        calls = [call.kwargs for call in client.return_value.publish.call_args_list]
        self.assertEqual([json.loads(call["Message"])["status"] for call in calls], list(TOLD.values()))
        self.assertEqual({call["TopicArn"] for call in calls}, {"arn:topic"})


class Page(unittest.TestCase):
    def section(self, heading: str) -> str:
        return re.split(r"\n## ", PAGE.split(f"\n## {heading}\n")[1])[0]

    def test_the_filter_policy_of_an_album_lets_its_photos_and_their_removals_pass(self) -> None:
        (policy,) = re.findall(r"(?ms)^```json\n(.*?)^```$", self.section("One album only"))
        policy = json.loads(policy.replace("tokyo trip/", "trip/"))
        passing = {story for story in TOLD if matches(policy, notice(story))}
        self.assertEqual(passing, set(TOLD) - {"a photo is ready", "a file is no photo"})

    def test_the_command_subscribes_with_that_policy_on_the_body(self) -> None:
        section = self.section("One album only")
        (attributes,) = re.findall(r"(?m)^ +'(\{.*\})'$", section)
        (policy,) = re.findall(r"(?ms)^```json\n(.*?)^```$", section)
        given = json.loads(attributes)
        self.assertEqual(given["FilterPolicyScope"], "MessageBody")
        self.assertEqual(json.loads(given["FilterPolicy"]), json.loads(policy))

    def test_the_filter_policy_of_failures_lets_them_alone_pass(self) -> None:
        (policy,) = re.findall(r"`(\{\"status\".*?\})`", self.section("One album only"))
        passing = [story for story in TOLD if matches(json.loads(policy), notice(story))]
        self.assertEqual(passing, ["a file is no photo"])

    def test_the_table_has_the_members_of_a_message(self) -> None:
        rows = re.findall(r"(?m)^\| `(\w+)` \|", self.section("The message"))
        self.assertEqual(set(rows), set(notice("a photo is ready")))

    def test_the_bill_is_what_the_prices_make(self) -> None:
        section = self.section("What it costs")
        sums = [float(number) for number in re.findall(r"\| (?:at most )?(\d+\.\d\d) \|", section)]
        bill = prices.of_notices(1_000_000)
        expected = [bill["pipe"], bill["topic"], bill["pipe"] + bill["topic"], bill["worker"], prices.of_reading_a_shard()]
        self.assertEqual(sums, [round(dollars, 2) for dollars in expected])

    def test_a_notice_of_more_than_64_kb_counts_as_several(self) -> None:
        small, large = prices.of_notices(1_000_000, 64), prices.of_notices(1_000_000, 65)
        for part in ("pipe", "topic"):
            self.assertAlmostEqual(large[part], 2 * small[part])
        self.assertAlmostEqual(prices.of_notices(2_000_000)["pipe"], 2 * small["pipe"])


class Worker(unittest.TestCase):
    def setUp(self) -> None:
        self.code: dict[str, Any] = {}
        exec(worker.block("python"), self.code)
        settings = mock.patch.dict(os.environ, {"URL": "http://127.0.0.1/", "SECRET": "s3cret", "RENDITION": "thumbnail"})
        settings.start()
        self.addCleanup(settings.stop)

    def told(self, story: str) -> dict[str, Any]:
        return self.code["notice"](notice(story))

    def test_it_makes_plain_json_of_every_notice(self) -> None:
        for story, status in TOLD.items():
            told, image = self.told(story), RECORDS[story]["dynamodb"]["NewImage"]
            self.assertEqual(json.loads(json.dumps(told)), told)
            self.assertEqual((told["version"], told["status"]), ("1", status))
            for name in ("photoKey", "sequencer", "processedAt"):
                self.assertEqual(told[name], image[name]["S"], story)
            self.assertEqual("rendition" in told, status == "READY", story)
            self.assertEqual("failure" in told, status == "FAILED", story)
            self.assertEqual("album" in told, status != "DELETED", story)

    def test_the_rendition_is_the_one_that_is_asked_for(self) -> None:
        rendition = self.told("a photo is ready")["rendition"]
        self.assertEqual((rendition["width"], rendition["height"]), (1331, 2000))
        self.assertIn("thumbHash", rendition)
        with mock.patch.dict(os.environ, {"RENDITION": "none"}):
            self.assertNotIn("rendition", self.told("a photo is ready"))

    def test_the_page_shows_what_it_passes_on(self) -> None:
        (shown,) = [json.loads(block) for block in re.findall(r"(?m)^\{\"version\".*\}$", PAGE)]
        told = self.told("a photo is ready")
        self.assertEqual(set(shown), set(told))
        self.assertEqual(set(shown["rendition"]), set(told["rendition"]))

    def test_plain_json_is_what_boto3_makes_of_dynamodbs(self) -> None:
        for story in TOLD:
            image = RECORDS[story]["dynamodb"]["NewImage"]
            plain = self.code["plain"]({"M": image})
            of_boto3 = TypeDeserializer().deserialize({"M": image})
            self.assertEqual(comparable(plain), comparable(of_boto3), story)
        self.assertEqual(self.code["plain"]({"L": [{"NULL": True}, {"BOOL": False}, {"N": "-1.5"}]}), [None, False, -1.5])

    def test_a_message_of_another_version_is_an_error(self) -> None:
        with self.assertRaisesRegex(ValueError, "version 2"):
            self.code["notice"](notice("a photo is ready") | {"version": "2"})

    def test_each_record_is_posted_with_the_secret(self) -> None:
        record = {"Sns": {"Message": json.dumps(notice("a file is no photo"))}}
        with mock.patch("urllib.request.urlopen") as opened:
            self.code["handler"]({"Records": [record, record]}, None)
        self.assertEqual(opened.call_count, 2)
        request = opened.call_args.args[0]
        self.assertEqual(request.get_header("Authorization"), "Bearer s3cret")
        self.assertEqual(json.loads(request.data)["failure"]["type"], "NotAPhoto")


def comparable(value: Any) -> Any:
    """A value without the types of boto3."""
    match value:
        case dict():
            return {name: comparable(part) for name, part in value.items()}
        case set():
            return sorted(value)
        case list():
            return [comparable(part) for part in value]
        case str() | bool() | None:
            return value
    return float(value)


class Told(unittest.TestCase):
    """How `make faults` judges notices."""

    def state(self, status: str, sequencer: str, at: str) -> dict[str, str]:
        return {"photoKey": "a", "status": status, "sequencer": sequencer, "processedAt": at}

    def test_a_state_that_was_told_is_known_in_whatever_order_notices_came(self) -> None:
        ready, again = self.state("READY", "1", "1"), self.state("READY", "1", "2")
        removed = self.state("DELETED", "2", "3")
        for items, told in ((ready, [ready]), (again, [again, ready]), (ready, [again, ready]), (removed, [removed, ready, ready])):
            self.assertEqual(untold({"a": items}, told), [])

    def test_a_state_that_was_not_told_is_found(self) -> None:
        ready, failed = self.state("READY", "1", "1"), self.state("FAILED", "2", "2")
        removed = self.state("DELETED", "3", "3")
        for items, told in ((ready, []), (failed, [ready]), (removed, [ready]), (removed, [failed, ready])):
            self.assertEqual(untold({"a": items}, told), ["a"])

    def test_a_tombstone_of_a_photo_that_never_was_told_need_not_be(self) -> None:
        self.assertEqual(untold({"a": self.state("DELETED", "1", "1")}, []), [])


if __name__ == "__main__":
    unittest.main()
