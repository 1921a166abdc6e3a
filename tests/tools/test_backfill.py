"""`make backfill`: what it asks of AWS, what it keeps, what it counts, and how it ends."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import threading
import time
import unittest
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import unquote_plus

import boto3
from botocore.exceptions import ClientError
from botocore.session import Session
from botocore.stub import Stubber
from botocore.validate import ParamValidator

from photos_dev.problem import Problem
from photos_dev.scale import constants
from photos_dev.stack.backfill import direct, estimate, job, progress, state
from photos_dev.stack.backfill.target import Count, Target, chosen_prefix

ROOT = Path(__file__).resolve().parent.parent.parent
ARN = "arn:aws:lambda:eu-central-1:111122223333:function:photos-thumbnail"
PLACES = job.Places("arn:aws:iam::111122223333:role/photos-BackfillRole", "photos-backfill-111122223333-eu-central-1")
JOB = "00e123a4-c0d8-41f4-a0eb-b46f9ba5b07c"


def target(prefix: str = "", **function: Any) -> Target:
    described = {"FunctionName": "photos-thumbnail", "MemorySize": 1769, "CodeSha256": "abc"} | function
    outputs = {"BackfillRoleArn": PLACES.role_arn, "BackfillBucketName": PLACES.bucket}
    lambda_ = mock.Mock()
    lambda_.meta.endpoint_url = "https://lambda.eu-central-1.amazonaws.com"
    return Target("photos", "photos-originals", prefix, ARN, described, outputs, mock.Mock(), lambda_)


class Prefixes(unittest.TestCase):
    def test_without_a_prefix_it_is_that_of_the_stacks_photos(self) -> None:
        self.assertEqual(chosen_prefix(None, "uploads/"), "uploads/")
        self.assertEqual(chosen_prefix("", ""), "")

    def test_a_prefix_of_no_photos_is_refused_before_anything_is_done(self) -> None:
        self.assertEqual(chosen_prefix("uploads/tokyo", "uploads/"), "uploads/tokyo")
        with self.assertRaisesRegex(Problem, "begin with 'uploads/'.*'tokyo'"):
            chosen_prefix("tokyo", "uploads/")


class JobRequests(unittest.TestCase):
    def asked(self, prefix: str = "") -> dict[str, Any]:
        return job.request(target(prefix), PLACES, "token")

    def test_it_is_what_s3_takes(self) -> None:
        shape = Session().get_service_model("s3control").operation_model("CreateJob").input_shape
        for prefix in ("", "tokyo trip/"):
            report = ParamValidator().validate(self.asked(prefix), shape)
            self.assertFalse(report.has_errors(), report.generate_report())

    def test_it_invokes_the_function_by_schema_2_for_the_objects_below_the_prefix(self) -> None:
        asked = self.asked("tokyo trip/")
        self.assertEqual(asked["Operation"], {"LambdaInvoke": {"FunctionArn": ARN, "InvocationSchemaVersion": "2.0"}})
        generator = asked["ManifestGenerator"]["S3JobManifestGenerator"]
        self.assertEqual(generator["SourceBucket"], "arn:aws:s3:::photos-originals")
        self.assertEqual(generator["Filter"], {"KeyNameConstraint": {"MatchAnyPrefix": ["tokyo trip/"]}})
        self.assertNotIn("Filter", self.asked()["ManifestGenerator"]["S3JobManifestGenerator"])

    def test_it_begins_without_a_confirmation_and_reports_what_failed(self) -> None:
        asked = self.asked()
        self.assertIs(asked["ConfirmationRequired"], False)
        self.assertEqual((asked["AccountId"], asked["RoleArn"]), ("111122223333", PLACES.role_arn))
        self.assertEqual((asked["Report"]["Enabled"], asked["Report"]["ReportScope"]), (True, "FailedTasksOnly"))

    def test_what_it_writes_is_where_the_templates_role_may_write(self) -> None:
        template = (ROOT / "template.yaml").read_text()
        asked = self.asked()
        manifests = asked["ManifestGenerator"]["S3JobManifestGenerator"]["ManifestOutputLocation"]["ManifestPrefix"]
        for prefix in (manifests, asked["Report"]["Prefix"]):
            self.assertIn(f"-backfill-${{AWS::AccountId}}-${{AWS::Region}}/{prefix}/*", template)

    def test_its_description_tells_it_from_jobs_about_other_objects_and_fits(self) -> None:
        long = ["ü" * 500 + end for end in "ab"]
        found = [job.description(target(prefix)) for prefix in ("", "a", *long)]
        self.assertEqual(len(set(found)), 4)
        for text in found:
            self.assertLessEqual(len(text.encode()), 256)

    def test_a_stack_without_the_role_is_told_what_to_do(self) -> None:
        without = target()
        without.outputs.clear()
        with self.assertRaisesRegex(Problem, "Backfill=true.*--direct"):
            job.Places.of(without)


class RunningJobs(unittest.TestCase):
    """S3's answers are checked by botocore, as are the requests."""

    def setUp(self) -> None:
        control = boto3.client("s3control", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
        self.stub = Stubber(control)
        self.stub.activate()
        self.addCleanup(self.stub.deactivate)
        self.jobs = job.Jobs(control, "111122223333")
        self.target = target()
        patch = mock.patch.object(job, "time", mock.Mock(sleep=mock.Mock(), monotonic=iter(range(10_000)).__next__))
        patch.start()
        self.addCleanup(patch.stop)
        self.said: list[str] = []

    def lists(self, *descriptions: str) -> None:
        """Each on a page of its own."""
        asked: dict[str, Any] = {"AccountId": "111122223333", "JobStatuses": list(job.ACTIVE)}
        self.stub.add_response("list_jobs", {"Jobs": [], "NextToken": "0"}, asked)
        for number, text in enumerate(descriptions):
            answer: dict[str, Any] = {"Jobs": [{"JobId": f"job-{number}", "Description": text}]}
            if number < len(descriptions) - 1:
                answer["NextToken"] = str(number + 1)
            self.stub.add_response("list_jobs", answer, asked | {"NextToken": str(number)})
        if not descriptions:
            self.stub.add_response("list_jobs", {"Jobs": []}, asked | {"NextToken": "0"})

    def describes(self, status: str, succeeded: int = 0, failed: int = 0, total: int = 0, **more: Any) -> None:
        summary = {"TotalNumberOfTasks": total, "NumberOfTasksSucceeded": succeeded, "NumberOfTasksFailed": failed}
        answer = {"JobId": JOB, "Status": status, "ProgressSummary": summary, "CreationTime": datetime.now(timezone.utc)}
        self.stub.add_response("describe_job", {"Job": answer | more})

    def run_it(self) -> tuple[int, str]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            with mock.patch.object(job.Jobs, "of", lambda _: self.jobs):
                code = job.run(self.target, 5, self.said.append)
        self.stub.assert_no_pending_responses()
        return code, out.getvalue()

    def test_a_job_is_created_and_watched_until_it_is_over(self) -> None:
        self.lists("backfill of something else")
        self.stub.add_response("create_job", {"JobId": JOB})
        self.stub.add_client_error("describe_job", "NoSuchJob")  # it is not known yet
        self.describes("Preparing")
        self.describes("Active", 20, 0, 60)
        self.describes("Complete", 60, 0, 60)
        self.assertEqual(self.run_it(), (0, "60 of 60 tasks succeeded, 0 failed; 0 s\n"))
        self.assertIn(f"job {JOB} is created for s3://photos-originals/", self.said)

    def test_a_job_that_is_running_is_watched_instead_of_creating_a_second_one(self) -> None:
        self.lists(job.description(target("other/")), job.description(self.target))
        self.describes("Active", 20, 0, 60)
        self.describes("Complete", 60, 0, 60)
        self.assertEqual(self.run_it()[0], 0)
        self.assertIn("job job-1 of", self.said[0])

    def test_failed_tasks_are_listed_with_their_reasons_and_the_status_is_1(self) -> None:
        self.target.s3.get_object = reports(JOB)
        self.lists()
        self.stub.add_response("create_job", {"JobId": JOB})
        self.describes("Complete", 58, 2, 60)
        code, said = self.run_it()
        self.assertEqual(code, 1)
        self.assertIn("failed  tokyo+trip/a.jpg: CorruptPhoto: its data ends early", said)
        self.assertIn("58 of 60 tasks succeeded, 2 failed", said)

    def test_a_job_that_fails_as_a_whole_says_why(self) -> None:
        self.lists()
        self.stub.add_response("create_job", {"JobId": JOB})
        self.describes("Failed", FailureReasons=[{"FailureCode": "ManifestGeneration", "FailureReason": "no right"}])
        self.assertEqual(self.run_it(), (1, "the job failed  ManifestGeneration: no right\n0 of 0 tasks succeeded, 0 failed; 0 s\n"))

    def test_ctrl_c_leaves_it_running_and_says_how_to_watch_and_cancel_it(self) -> None:
        self.lists()
        self.stub.add_response("create_job", {"JobId": JOB})
        self.describes("Active", 20, 0, 60)
        job.time.sleep.side_effect = KeyboardInterrupt
        self.assertEqual(self.run_it(), (130, ""))
        self.assertIn(f"job {JOB} goes on in AWS", self.said[-1])
        of_job = f"--account-id 111122223333 --region eu-central-1 --job-id {JOB}"
        self.assertIn(f"aws s3control describe-job {of_job}\n", self.said[-1])
        self.assertIn(f"aws s3control update-job-status {of_job} --requested-job-status Cancelled", self.said[-1])


SCHEMA = "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"


def reports(number: str) -> Callable[..., dict[str, Any]]:
    """GetObject of a bucket with AWS's sample of a report, and a row as our function answers."""
    results = [
        {"TaskExecutionStatus": "succeeded", "Bucket": "reports", "Key": "none.csv"},
        {"TaskExecutionStatus": "failed", "Bucket": "reports", "Key": "failed.csv"},
    ]
    manifest = {"Format": "Report_CSV_20180820", "Results": results, "ReportSchema": SCHEMA}
    rows = (
        'bucket,image_14975,,failed,200,PermanentFailure,"Lambda returned function error: {""errorMessage"":""Task timed out""}"\n'
        "bucket,tokyo+trip/a.jpg,,failed,PermanentFailure,200,CorruptPhoto: its data ends early\n"
    )
    files = {f"reports/job-{number}/manifest.json": json.dumps(manifest), "failed.csv": rows}
    return lambda Bucket, Key: {"Body": io.BytesIO(files[Key].encode())}


class Reports(unittest.TestCase):
    def test_the_reasons_are_those_of_the_failed_tasks(self) -> None:
        s3 = mock.Mock(get_object=reports(JOB))
        found = dict(job.failures(s3, "reports", job.report_key(JOB)))
        self.assertEqual(found["image_14975"], 'Lambda returned function error: {"errorMessage":"Task timed out"}')
        self.assertEqual(found["tokyo+trip/a.jpg"], "CorruptPhoto: its data ends early")

    def test_a_task_without_a_text_has_its_code_and_says_where_to_look(self) -> None:
        for codes in ("PermanentFailure,200", "200,PermanentFailure"):
            ((_, reason),) = job.failed_tasks(f"bucket,a.jpg,,failed,{codes},\n", SCHEMA)
            self.assertRegex(reason, "^PermanentFailure; .*`failure`")

    def test_a_report_that_is_not_there_is_named(self) -> None:
        missing = ClientError({"Error": {"Code": "NoSuchKey", "Message": "gone"}}, "GetObject")
        s3 = mock.Mock(get_object=mock.Mock(side_effect=missing))
        with self.assertRaisesRegex(Problem, "s3://reports/reports/job-1/manifest.json"):
            list(job.failures(s3, "reports", job.report_key("1")))


# Whatever `make cost` measured last.
@mock.patch.object(constants, "CPU_MS", 121)
class Estimates(unittest.TestCase):
    million = Count(1_000_000, 3_165_832 * 1_000_000)

    def costs(self, is_job: bool, **work: Any) -> dict[str, float]:
        given = {"count": self.million, "memory_mb": 1769, "is_arm64": False, "renditions": 1} | work
        return estimate.costs(estimate.Work(**given), is_job)

    def test_a_million_photos_cost_what_a_photo_takes(self) -> None:
        found = self.costs(True)
        milliseconds = 121 + 134.5 + 3_165_832 / 89_000
        self.assertAlmostEqual(found["Lambda, 1769 MB"], milliseconds * 1000 * 1769 / 1024 * 0.0000166667 + 0.20)
        self.assertAlmostEqual(found["S3, the function's calls"], 5.00 + 3 * 0.40)
        self.assertAlmostEqual(found["DynamoDB"], 2.625)
        self.assertAlmostEqual(found["S3 Batch Operations"], 0.25 + 1.00 + 0.015)

    def test_a_direct_backfill_costs_no_job_but_its_lists(self) -> None:
        found = self.costs(False)
        self.assertNotIn("S3 Batch Operations", found)
        self.assertAlmostEqual(found["S3, lists of keys"], 0.005)

    def test_each_rendition_is_a_put_and_less_memory_is_slower(self) -> None:
        self.assertAlmostEqual(self.costs(True, renditions=3)["S3, the function's calls"], 15.00 + 5 * 0.40)
        less, more = (estimate.lambda_seconds(estimate.Work(self.million, size, False, 1)) for size in (512, 1769))
        self.assertAlmostEqual(less - more, 121 * (1769 / 512 - 1) * 1000, delta=1)

    def test_the_work_is_that_of_the_functions_settings(self) -> None:
        of = target(Architectures=["arm64"], Environment={"Variables": {"RENDITIONS": "a: scale=1; b: fit=400;"}})
        self.assertEqual(estimate.Work.of(of, self.million), estimate.Work(self.million, 1769, True, 2))

    def test_the_report_names_its_sources_and_the_sum(self) -> None:
        said = estimate.report(estimate.Work.of(target(), Count(1234, 10**9)), is_job=True)
        self.assertIn("aws.amazon.com/s3/pricing", said)
        self.assertRegex(said, r"together +\$ +0\.\d\d")

    def test_sizes_are_readable(self) -> None:
        found = [estimate.size(count) for count in (0, 999_999, 3_165_832, 79 * 10**9, 2 * 10**12)]
        self.assertEqual(found, ["0 bytes", "999,999 bytes", "3.2 MB", "79.0 GB", "2.0 TB"])


class Progress(unittest.TestCase):
    def test_a_line_says_how_many_are_done_of_all_and_for_how_long_it_will_go_on(self) -> None:
        said = progress.line(312, 31, 500, 28.4)
        self.assertEqual(said, f"[{'#' * 18}{'.' * 12}]  312 of 500  62 %  28.4/s  31 failed  6 s left")
        self.assertIn("500 of 500  100 %", progress.line(500, 0, 500, 0))
        self.assertIn("0 of 0  100 %", progress.line(0, 0, 0, 0))
        self.assertIn("510 of 510", progress.line(510, 0, 500, 1), "photos came meanwhile")

    def test_the_rate_is_that_of_the_last_minute(self) -> None:
        rate = progress.Rate()
        found = [rate.of(done, now) for done, now in ((0, 0), (600, 60), (601, 100), (602, 120))]
        self.assertEqual(found[:2], [0, 10])
        self.assertLess(found[-1], 0.1)

    def test_durations_are_readable(self) -> None:
        found = [progress.duration(seconds) for seconds in (7, 125, 7300)]
        self.assertEqual(found, ["7 s", "2 min 5 s", "2 h 1 min"])

    def test_of_many_failures_the_first_are_shown_and_the_place_of_all(self) -> None:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            progress.show_failures([(f"{number}.jpg", "broken") for number in range(250)], "all.jsonl")
        self.assertEqual(out.getvalue().count("broken"), 100)
        self.assertIn("150 more, see all.jsonl", out.getvalue())


class States(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "photos-all.json"

    def load(self, fingerprint: str = "f", restart: bool = False) -> state.State:
        return state.load(self.path, fingerprint, restart)[0]

    def test_what_is_saved_is_gone_on_with(self) -> None:
        first = self.load()
        first.finished("a.jpg", None)
        first.finished("b.jpg", "CorruptPhoto: it is broken")
        first.save()
        again = self.load()
        self.assertEqual((again.after, again.succeeded, again.failed), ("b.jpg", 1, 1))
        self.assertEqual(again.failures(), [("b.jpg", "CorruptPhoto: it is broken")])

    def test_other_settings_code_account_or_a_restart_begin_anew(self) -> None:
        for fingerprint, restart in (("other", False), ("f", True)):
            first = self.load()
            first.finished("a.jpg", "broken")
            first.save()
            again = self.load(fingerprint, restart)
            self.assertEqual((again.after, again.done, again.failures()), ("", 0, []))

    def test_a_failure_that_a_killed_run_did_not_count_is_not_listed_twice(self) -> None:
        first = self.load()
        first.finished("a.jpg", "broken")
        first.save()
        with first.failures_path.open("a") as file:
            file.write('{"key": "b.jpg", "reason": "broken"}\n{"key": "c')
        again = self.load()
        again.finished("b.jpg", "broken")
        again.save()
        self.assertEqual([key for key, _ in again.failures()], ["a.jpg", "b.jpg"])

    def test_a_damaged_file_is_named_with_what_to_do(self) -> None:
        for text in ("{", "[]", "{}"):
            self.path.write_text(text)
            with self.assertRaisesRegex(Problem, f"{self.path}.*--restart"):
                self.load()
        self.path.unlink()

    def test_each_stack_and_prefix_has_its_file_whatever_is_in_the_prefix(self) -> None:
        paths = {state.path_of(stack, prefix) for stack in ("a", "b") for prefix in ("", "x", "x/", "../" * 300)}
        self.assertEqual(len(paths), 8)
        for path in paths:
            self.assertEqual(path.parent, state.FOLDER)
            self.assertLess(len(path.name), 60)

    def test_git_does_not_see_it(self) -> None:
        self.assertIn("/.local", (ROOT / ".gitignore").read_text().splitlines())
        self.assertTrue(state.FOLDER.is_relative_to(ROOT / ".local"))

    def test_a_second_backfill_of_the_same_photos_is_refused(self) -> None:
        with state.alone(self.path):
            with self.assertRaisesRegex(Problem, "another backfill"):
                with state.alone(self.path):
                    self.fail("both run")
        with state.alone(self.path):
            pass

    def test_the_fingerprint_is_of_all_that_changes_what_is_done(self) -> None:
        def settings(scale: float) -> dict[str, Any]:
            return {"Environment": {"Variables": {"RENDITIONS": f"thumbnail: scale={scale}"}}}

        found = [target(), target(**settings(0.25)), target(**settings(0.5)), target(CodeSha256="other")]
        local = target()
        local.lambda_.meta.endpoint_url = "http://127.0.0.1:4566"
        self.assertEqual(len({one.fingerprint() for one in [*found, local]}), 5)
        self.assertEqual(target().fingerprint(), target().fingerprint())


class Tasks(unittest.TestCase):
    def test_an_event_has_the_form_of_the_sample_of_schema_2(self) -> None:
        sample = json.loads((ROOT / "events/batch-2.0.json").read_text())
        event = direct.task_event("photos-originals", "tokyo trip/red+blue ü.jpg")
        self.assertEqual(set(event), set(sample))
        self.assertEqual(set(event["tasks"][0]), set(sample["tasks"][0]))
        self.assertEqual(event["invocationSchemaVersion"], sample["invocationSchemaVersion"])
        self.assertEqual(event["tasks"][0]["s3Key"], "tokyo+trip/red%2Bblue+%C3%BC.jpg")
        self.assertEqual(unquote_plus(event["tasks"][0]["s3Key"]), "tokyo trip/red+blue ü.jpg")

    def test_an_answer_that_is_none_of_batch_operations_ends_the_backfill(self) -> None:
        for answer in (None, {}, {"results": []}, {"results": [{"resultCode": "Fine"}]}, {"batchItemFailures": []}):
            with self.assertRaisesRegex(Problem, "does not answer"):
                direct.result_of(answer)

    def invoker(self, *answers: Any) -> direct.Invoker:
        """Of a function that answers so, one after another."""
        left = iter(answers)

        def invoke(**_: Any) -> dict[str, Any]:
            match next(left):
                case ClientError() as error:
                    raise error
                case {"FunctionError": _} as failed:
                    return failed | {"Payload": io.BytesIO(b'{"errorMessage": "timed out"}')}
                case (code, text):
                    result = {"taskId": "1", "resultCode": code, "resultString": text}
                    return {"Payload": io.BytesIO(json.dumps({"results": [result]}).encode())}

        of = target()
        of.lambda_.invoke = invoke
        self.paused: list[float] = []
        stop = mock.Mock(wait=lambda seconds: self.paused.append(seconds) and False)
        return direct.Invoker(of, stop)

    def test_a_permanent_failure_is_not_tried_again(self) -> None:
        invoker = self.invoker(("PermanentFailure", "CorruptPhoto: it is broken"))
        self.assertEqual(invoker.do("a.jpg"), "CorruptPhoto: it is broken")
        self.assertEqual(self.paused, [])

    def test_what_may_pass_is_tried_again_after_longer_and_longer_pauses(self) -> None:
        busy = ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "later"}}, "Invoke")
        invoker = self.invoker(("TemporaryFailure", "S3: slow"), busy, {"FunctionError": "Unhandled"}, ("Succeeded", ""))
        self.assertIsNone(invoker.do("a.jpg"))
        self.assertEqual(len(self.paused), 3)
        self.assertEqual(self.paused, sorted(self.paused))

    def test_after_five_tries_a_task_has_failed(self) -> None:
        invoker = self.invoker(*[("TemporaryFailure", "S3: slow")] * 5)
        self.assertEqual(invoker.do("a.jpg"), "after 5 tries: S3: slow")

    def test_a_refusal_that_holds_for_every_task_ends_the_backfill(self) -> None:
        denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Invoke")
        with self.assertRaises(ClientError):
            self.invoker(denied).do("a.jpg")

    def test_a_pause_ends_when_the_backfill_is_to_end(self) -> None:
        invoker = self.invoker(("TemporaryFailure", "S3: slow"))
        invoker.stop.wait = lambda _: True
        with self.assertRaises(direct.Stopped):
            invoker.do("a.jpg")


class Order(unittest.TestCase):
    """Tasks finish in any order; the state has only those that no unfinished one is before."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "photos-all.json"
        self.keys = [f"{number:03}.jpg" for number in range(200)]
        self.lock, self.done = threading.Lock(), []
        patch = mock.patch.object(progress.sys, "stderr", io.StringIO())
        patch.start()
        self.addCleanup(patch.stop)

    def backfill(self, do: Callable[[str], str | None]) -> direct.Backfill:
        def noted(key: str) -> str | None:
            reason = do(key)
            with self.lock:
                self.done.append(key)
            return reason

        kept, _ = state.load(self.path, "f", False)
        return direct.Backfill(kept, len(self.keys), noted, threading.Event(), at_once=4)

    def run_rest(self, backfill: direct.Backfill) -> None:
        backfill.run(iter([key for key in self.keys if key > backfill.state.after]))

    def test_all_are_done_once_and_counted(self) -> None:
        backfill = self.backfill(lambda key: "broken" if key.endswith("0.jpg") else None)
        self.run_rest(backfill)
        self.assertEqual(sorted(self.done), self.keys)
        self.assertEqual((backfill.state.succeeded, backfill.state.failed), (180, 20))
        self.assertEqual(len(backfill.state.failures()), 20)

    def test_a_slow_task_holds_no_more_than_those_that_may_be_ahead_of_it(self) -> None:
        release = threading.Event()

        def slow_first(key: str) -> None:
            if key == self.keys[0]:
                release.wait(10)
            elif key == self.keys[50]:
                self.assertEqual(backfill.state.done, 0)
                release.set()

        backfill = self.backfill(slow_first)
        self.run_rest(backfill)
        self.assertEqual(sorted(self.done), self.keys)
        self.assertEqual(backfill.state.after, self.keys[-1])

    def test_after_a_stop_those_in_flight_are_finished_and_nothing_is_done_twice(self) -> None:
        def stop_in_the_middle(key: str) -> None:
            if key == self.keys[100]:
                first.stop.set()
            time.sleep(0.001)

        first = self.backfill(stop_in_the_middle)
        self.run_rest(first)
        self.assertLess(first.state.done, 120)
        self.assertEqual(sorted(self.done), self.keys[: first.state.done])
        self.run_rest(self.backfill(lambda _: None))
        self.assertEqual(sorted(self.done), self.keys)

    def test_a_refused_call_ends_it_with_the_state_before_the_task(self) -> None:
        def refused(key: str) -> None:
            if key == self.keys[100]:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Invoke")

        first = self.backfill(refused)
        with self.assertRaises(ClientError):
            self.run_rest(first)
        self.assertEqual(first.state.after, self.keys[99])
        self.run_rest(self.backfill(lambda _: None))
        self.assertEqual(sorted(set(self.done)), self.keys)

    def test_a_listing_that_fails_ends_it_after_what_is_in_flight(self) -> None:
        def broken_listing() -> Any:
            yield from self.keys[:50]
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "later"}}, "ListObjectsV2")

        first = self.backfill(lambda _: time.sleep(0.001))
        with self.assertRaises(ClientError):
            first.run(broken_listing())
        self.assertEqual(sorted(self.done), self.keys[: first.state.done])
        self.run_rest(self.backfill(lambda _: None))
        self.assertEqual(sorted(self.done), self.keys)


if __name__ == "__main__":
    unittest.main()
