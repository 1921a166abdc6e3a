"""A job of S3 Batch Operations that invokes the function for each object below a prefix.

It runs in AWS: this program creates it, or finds the one that is running, and shows how far it is. It was not run on
AWS yet. Sources: Amazon S3 API Reference, CreateJob; Amazon S3 User Guide, "Performing object operations in bulk with
Batch Operations".
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from photos_dev.problem import Problem
from photos_dev.stack.backfill.progress import INTERRUPTED, Bar, Rate, line, show_failures
from photos_dev.stack.backfill.target import Target

# Below them the template's role may write.
MANIFESTS, REPORTS = "manifests", "reports"
# A job in one of these is not over (Amazon S3 User Guide, "Tracking job status and completion reports").
ACTIVE = ("New", "Preparing", "Suspended", "Ready", "Active", "Pausing", "Paused", "Completing", "Failing", "Cancelling")
OVER = ("Complete", "Failed", "Cancelled")
LONGEST_DESCRIPTION = 256
# Above other jobs of 0; numbers have a meaning only beside those of the same account and region.
PRIORITY = 10
# A new job may be unknown for a moment (Amazon S3 User Guide, "Troubleshooting S3 Batch Operations").
UNKNOWN_SECONDS = 60


@dataclass(frozen=True)
class Places:
    """What the template makes for jobs."""

    role_arn: str
    bucket: str

    @staticmethod
    def of(target: Target) -> Places:
        try:
            return Places(target.outputs["BackfillRoleArn"], target.outputs["BackfillBucketName"])
        except KeyError:
            raise Problem(
                f"stack {target.stack} has no role and no bucket for S3 Batch Operations: deploy it with"
                " Backfill=true, or invoke the function directly by --direct (DIRECT=1)"
            ) from None


def description(target: Target) -> str:
    """It names the work, so that the job is found again; prefixes may be longer than a description."""
    number = hashlib.sha256(target.url.encode()).hexdigest()[:8]
    return f"backfill {target.stack} {number}: {target.url}".encode()[:LONGEST_DESCRIPTION].decode(errors="ignore")


def request(target: Target, places: Places, token: str) -> dict[str, Any]:
    """What CreateJob is asked for."""
    of_bucket = f"arn:{target.partition}:s3:::"
    generator: dict[str, Any] = {
        "ExpectedBucketOwner": target.account,
        "SourceBucket": of_bucket + target.bucket,
        "EnableManifestOutput": True,
        "ManifestOutputLocation": {
            "ExpectedManifestBucketOwner": target.account,
            "Bucket": of_bucket + places.bucket,
            "ManifestPrefix": MANIFESTS,
            "ManifestEncryption": {"SSES3": {}},
            "ManifestFormat": "S3InventoryReport_CSV_20211130",
        },
    }
    if target.prefix:
        generator["Filter"] = {"KeyNameConstraint": {"MatchAnyPrefix": [target.prefix]}}
    return {
        "AccountId": target.account,
        "ConfirmationRequired": False,
        "Operation": {"LambdaInvoke": {"FunctionArn": target.function_arn, "InvocationSchemaVersion": "2.0"}},
        "ManifestGenerator": {"S3JobManifestGenerator": generator},
        "Report": {
            "Enabled": True,
            "Bucket": of_bucket + places.bucket,
            "ExpectedBucketOwner": target.account,
            "Prefix": REPORTS,
            "Format": "Report_CSV_20180820",
            "ReportScope": "FailedTasksOnly",
        },
        "Description": description(target),
        "Priority": PRIORITY,
        "RoleArn": places.role_arn,
        "ClientRequestToken": token,
    }


@dataclass
class Jobs:
    """The jobs of an account and a region."""

    control: Any
    account: str

    @staticmethod
    def of(target: Target) -> Jobs:
        return Jobs(boto3.client("s3control"), target.account)

    def running(self, target: Target) -> str | None:
        """The job about the same objects that is not over."""
        wanted = description(target)
        return next((job["JobId"] for job in self.active() if job.get("Description") == wanted), None)

    def active(self) -> Iterator[dict[str, Any]]:
        listing: dict[str, Any] = {"AccountId": self.account, "JobStatuses": list(ACTIVE)}
        while True:  # boto3 has no paginator of it
            page = self.control.list_jobs(**listing)
            yield from page.get("Jobs", [])
            if not page.get("NextToken"):
                return
            listing["NextToken"] = page["NextToken"]

    def create(self, target: Target, places: Places) -> str:
        return self.control.create_job(**request(target, places, str(uuid.uuid4())))["JobId"]

    def describe(self, job: str) -> dict[str, Any]:
        until = time.monotonic() + UNKNOWN_SECONDS
        while True:
            try:
                return self.control.describe_job(AccountId=self.account, JobId=job)["Job"]
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("NoSuchJob", "NoSuchJobException") or time.monotonic() > until:
                    raise
            time.sleep(1)


def run(target: Target, every: float, say: Callable[[str], None]) -> int:
    places, jobs = Places.of(target), Jobs.of(target)
    job = find_or_create(jobs, target, places, say)
    try:
        found = watch(jobs, job, every)
    except KeyboardInterrupt:
        say(f"\n{how_to_go_on(target, job)}")
        return INTERRUPTED
    return show_end(target, places, found)


def find_or_create(jobs: Jobs, target: Target, places: Places, say: Callable[[str], None]) -> str:
    if job := jobs.running(target):
        since = jobs.describe(job)["CreationTime"]
        say(f"job {job} of {since:%Y-%m-%d %H:%M} UTC is running already")
        say("If the settings have changed since, run make backfill once more when it is over")
        return job
    job = jobs.create(target, places)
    say(f"job {job} is created for {target.url}")
    return job


def watch(jobs: Jobs, job: str, every: float) -> dict[str, Any]:
    """The description of the job, once it is over."""
    rate = Rate()
    with Bar("backfill") as bar:
        while (found := jobs.describe(job))["Status"] not in OVER:
            bar.show(shown(found, rate, time.monotonic()))
            time.sleep(every)
    return found


def shown(found: dict[str, Any], rate: Rate, now: float) -> str:
    summary = found.get("ProgressSummary", {})
    succeeded, failed = summary.get("NumberOfTasksSucceeded", 0), summary.get("NumberOfTasksFailed", 0)
    total, done = summary.get("TotalNumberOfTasks", 0), succeeded + failed
    if not total:  # S3 lists the bucket
        return found["Status"]
    return f"{found['Status']}  {line(done, failed, total, rate.of(done, now))}"


def how_to_go_on(target: Target, job: str) -> str:
    region = target.function_arn.split(":")[3]
    of_job = f"--account-id {target.account} --region {region} --job-id {job}"
    return "\n".join(
        [
            f"job {job} goes on in AWS. The same command shows it again. Or:",
            f"  aws s3control describe-job {of_job}",
            f"  aws s3control update-job-status {of_job} --requested-job-status Cancelled",
        ]
    )


def show_end(target: Target, places: Places, found: dict[str, Any]) -> int:
    summary = found.get("ProgressSummary", {})
    succeeded, failed = summary.get("NumberOfTasksSucceeded", 0), summary.get("NumberOfTasksFailed", 0)
    for failure in found.get("FailureReasons", []):
        print(f"the job failed  {failure.get('FailureCode', '')}: {failure.get('FailureReason', '')}")
    if reason := found.get("StatusUpdateReason"):
        print(f"{found['Status']}: {reason}")
    place = report_key(found["JobId"])
    if failed:
        show_failures(list(failures(target.s3, places.bucket, place)), f"s3://{places.bucket}/{place}")
    seconds = summary.get("Timers", {}).get("ElapsedTimeInActiveSeconds", 0)
    print(f"{succeeded:,} of {summary.get('TotalNumberOfTasks', 0):,} tasks succeeded, {failed:,} failed; {seconds} s")
    return 0 if found["Status"] == "Complete" and not failed else 1


def report_key(job: str) -> str:
    """Amazon S3 User Guide, "Examples: S3 Batch Operations completion reports"."""
    return f"{REPORTS}/job-{job}/manifest.json"


def failures(s3: Any, bucket: str, manifest_key: str) -> Iterator[tuple[str, str]]:
    """Keys and reasons in the report of a job."""
    try:
        manifest = json.loads(s3.get_object(Bucket=bucket, Key=manifest_key)["Body"].read())
    except ClientError as error:
        raise Problem(f"tasks failed, but their report s3://{bucket}/{manifest_key} cannot be read: {error}") from error
    for result in manifest["Results"]:
        if result["TaskExecutionStatus"] == "failed":
            text = s3.get_object(Bucket=result["Bucket"], Key=result["Key"])["Body"].read().decode()
            yield from failed_tasks(text, manifest["ReportSchema"])


def failed_tasks(text: str, schema: str) -> Iterator[tuple[str, str]]:
    """Keys, as they are encoded in the report, and reasons.

    AWS's sample has the codes the other way round than its schema, so the first that is a word is taken.
    """
    columns = [column.strip() for column in schema.split(",")]
    for row in csv.reader(io.StringIO(text)):
        task = dict(zip(columns, row))
        codes = [task.get("ErrorCode", ""), task.get("HTTPStatusCode", "")]
        code = next((code for code in codes if code and not code.isdigit()), "failed")
        yield task["Key"], task.get("ResultMessage") or f"{code}; the photo's item says why, in `failure`"
