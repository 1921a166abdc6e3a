"""The stack whose function meets the faults. These calls to it go to the local AWS directly, without faults."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from photos_dev.faults import plan
from photos_dev.faults.proxy import FAULTS
from photos_dev.local_aws.deploy import Clients, add_environment, deploy, queue_arn, through
from photos_dev.local_aws.logs import log_lines, parse_object
from photos_dev.local_aws.server import client_environment
from photos_dev.paths import FUNCTIONS
from photos_dev.problem import Problem
from photos_dev.stack.run_photo import plain

# Longest delay of a log line.
LATE = timedelta(seconds=15)


@dataclass(frozen=True)
class DeadLetter:
    id: str
    key: str
    sequencer: str
    # Sent by Lambda about an event of which every try has failed.
    is_by_lambda: bool


@dataclass(frozen=True)
class Rendition:
    original_etag: str | None
    digest: str
    bytes: int


class Stack:
    def __init__(self, aws: Clients, function_endpoint: str, renditions: int) -> None:
        self.aws, self.renditions_each = aws, renditions
        self.name = f"faults-{renditions}"
        parameters = {"Renditions": plan.RENDITIONS[renditions], "Notices": "true"}
        outputs = deploy(aws.endpoint, self.name, FUNCTIONS, parameters, through(function_endpoint))
        self.originals = outputs["OriginalsBucketName"]
        self.thumbnails_bucket = outputs["ThumbnailsBucketName"]
        self.table = outputs["PhotosTableName"]
        self.queue = outputs["DeadLetterQueueUrl"]
        self.function = outputs["ThumbnailFunctionName"]
        self.events_queue = self.copy_events()
        self.notices_queue = self.subscribe_to(outputs["NoticesTopicArn"])
        self.log = (FAULTS / f"function-{renditions}.jsonl").open("w", buffering=1)
        self.log_from = datetime.now(timezone.utc)
        self.lines: set[str] = set()

    def copy_events(self) -> str:
        """Makes the bucket send its events to a queue too; returns the queue."""
        queue, arn = self.queue_for("events", "s3")
        notifications = self.aws.s3.get_bucket_notification_configuration(Bucket=self.originals)
        notifications.pop("ResponseMetadata")
        notifications["QueueConfigurations"] = [
            {"QueueArn": arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
        ]
        self.aws.s3.put_bucket_notification_configuration(
            Bucket=self.originals, NotificationConfiguration=notifications
        )
        return queue

    def subscribe_to(self, topic: str) -> str:
        """Subscribes a queue to a topic; returns the queue."""
        queue, arn = self.queue_for("notices", "sns")
        raw = {"RawMessageDelivery": "true"}
        self.aws.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=raw)
        return queue

    def queue_for(self, what: str, service: str) -> tuple[str, str]:
        """Makes a queue to which a service may send; returns its URL and its ARN."""
        queue = self.aws.sqs.create_queue(QueueName=f"{self.name}-{what}")["QueueUrl"]
        arn = queue_arn(self.aws, queue)
        self.aws.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": letting_send(service, arn)})
        return queue, arn

    def call_directly(self) -> None:
        """Makes the function call the local AWS directly from now on."""
        add_environment(self.aws, self.function, through(self.aws.endpoint))

    def put(self, key: str, body: bytes) -> str:
        put = self.aws.s3.put_object(Bucket=self.originals, Key=key, Body=body)
        return put["ETag"].strip('"')

    def remove(self, key: str) -> None:
        self.aws.s3.delete_object(Bucket=self.originals, Key=key)

    def deliver(self, record: dict[str, Any]) -> None:
        """Sends the function an event as S3 does."""
        event = json.dumps({"Records": [record]})
        self.aws.lambda_.invoke(FunctionName=self.function, InvocationType="Event", Payload=event)

    def new_events(self) -> Iterator[dict[str, Any]]:
        """The records of the events that the bucket has sent since the last look."""
        for event in self.taken_from(self.events_queue):
            yield from event.get("Records", [])

    def new_notices(self) -> Iterator[dict[str, Any]]:
        """The items of the notices that the topic has sent since the last look."""
        for notice in self.taken_from(self.notices_queue):
            item = plain(notice["item"])
            if (notice["version"], notice["status"]) != ("1", item["status"]):
                raise Problem(f"a notice that is not as docs/notices.md says: {notice}")
            yield item

    def taken_from(self, queue: str) -> Iterator[dict[str, Any]]:
        """The bodies of the messages that are in a queue."""
        receive = {"QueueUrl": queue, "MaxNumberOfMessages": 10}
        while messages := self.aws.sqs.receive_message(**receive).get("Messages"):
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages)
            ]
            self.aws.sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
            for message in messages:
                yield parse_object(message["Body"])

    def new_log_lines(self) -> Iterator[dict[str, Any]]:
        """The function's log lines about photos since the last look."""
        looked_at = datetime.now(timezone.utc)
        for text in log_lines(self.aws, self.function, self.log_from):
            line = parse_object(text)
            if line.get("message") == "photo" and text not in self.lines:
                self.lines.add(text)
                print(text, file=self.log)
                yield line
        self.log_from = looked_at - LATE

    def dead_letters(self) -> list[DeadLetter]:
        """All messages in the dead-letter queue, including invisible ones, without receiving them. Only the local AWS
        has an endpoint for that."""
        query = urllib.parse.urlencode({"QueueUrl": self.queue})
        without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with without_proxy.open(f"{self.aws.endpoint}/_ministack/sqs/messages?{query}") as answer:
            accounts = json.load(answer)["messages"]
        queues = [queue for regions in accounts.values() for queue in regions.values()]
        messages = [message for queue in queues for found in queue.values() for message in found]
        return [dead_letter(message) for message in messages]

    def forget_dead_letters(self) -> None:
        self.aws.sqs.purge_queue(QueueUrl=self.queue)

    def items(self) -> dict[str, dict[str, Any]]:
        pages = self.aws.dynamodb.get_paginator("scan").paginate(
            TableName=self.table, ConsistentRead=True
        )
        items = [plain(item) for page in pages for item in page["Items"]]
        return {item["photoKey"]: item for item in items}

    def renditions(self) -> dict[str, dict[str, Rendition]]:
        """The renditions by the keys of their originals, then by their names."""
        pages = self.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=self.thumbnails_bucket)
        renditions: dict[str, dict[str, Rendition]] = defaultdict(dict)
        for key in [entry["Key"] for page in pages for entry in page.get("Contents", [])]:
            photo, name = plan.photo_of(key)
            renditions[photo][name] = self.rendition(key)
        return dict(renditions)

    def rendition(self, key: str) -> Rendition:
        found = self.aws.s3.get_object(Bucket=self.thumbnails_bucket, Key=key)
        body = found["Body"].read()
        digest = hashlib.sha256(body).hexdigest()
        return Rendition(found["Metadata"].get("original-etag"), digest, len(body))

    def thumbnail_bytes(self, key: str) -> bytes:
        found = self.aws.s3.get_object(Bucket=self.thumbnails_bucket, Key=f"thumbnail/{key}")
        return found["Body"].read()

    def redrive(self, seconds: float) -> None:
        """Redrives as an operator does."""
        command = [sys.executable, "-m", "photos_dev.stack.redrive", "--stack", self.name]
        command += ["--every", "0.5", "--within", str(max(1, int(seconds)))]
        environment = client_environment(self.aws.endpoint)
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise Problem(f"make redrive failed: {done.stderr.strip().splitlines()[-1]}")
        print(f"make redrive: {done.stdout.splitlines()[0]}")


def letting_send(service: str, queue: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def dead_letter(message: dict[str, Any]) -> DeadLetter:
    body = parse_object(message["Body"])
    record = body["requestPayload"]["Records"][0]
    return DeadLetter(
        id=message["MessageId"],
        key=key_of(record),
        sequencer=sequencer(record),
        is_by_lambda=body["requestContext"]["condition"] == "RetriesExhausted",
    )


def key_of(record: dict[str, Any]) -> str:
    return urllib.parse.unquote_plus(record["s3"]["object"]["key"])


def sequencer(record: dict[str, Any]) -> str:
    """The sequencer of an event, in the form that items have."""
    return record["s3"]["object"]["sequencer"].upper().zfill(32)
