#!/usr/bin/env python3
"""Measures the functions as they are deployed: size, cold start, and what their work costs.

The release builds are started here, beside a stand-in for Lambda's Runtime API, because only their
parent can read their CPU time and memory; S3, DynamoDB and SQS are the local AWS on the wire.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import statistics
import subprocess
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

from aws import ROOT, endpoint
from cli import exit_with
from deploy import Clients, deploy
from machine import processor
from problem import Problem
from server import client_environment

PHOTO = ROOT / "tests/photos/ref-5323x8000.jpg"
STARTS = 20
FIRST_PHOTOS = 12
PHOTOS = 48
BATCH = 24
CALLS = 200
TICK = 1 / os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", type=Path, help="the release builds, as `make release` zips them")
    packages = parser.parse_args().packages
    with tempfile.TemporaryDirectory() as directory:
        functions = Path(directory)
        for package in packages.glob("*/bootstrap.zip"):
            unzip(package, functions / package.parent.name)
        aws = Clients(endpoint())
        outputs = deploy(aws.endpoint, "measure", functions, {}, {})
        print(f"{PHOTO.name}, {processor()}, {os.cpu_count()} cores")
        measure_thumbnail(aws, outputs, packages / "thumbnail", functions / "thumbnail")
        measure_upload_url(aws, outputs, packages / "upload-url", functions / "upload-url")
    return 0


def unzip(package: Path, directory: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        Path(archive.extract("bootstrap", directory)).chmod(0o755)


def measure_thumbnail(aws: Clients, outputs: dict[str, str], package: Path, function: Path) -> None:
    bootstrap = function / "bootstrap"
    environment = function_environment(aws, outputs["ThumbnailFunctionName"])
    aws.s3.put_bucket_notification_configuration(
        Bucket=outputs["OriginalsBucketName"], NotificationConfiguration={}
    )
    records = upload_photos(aws, outputs["OriginalsBucketName"])

    print("\nthumbnail")
    print_size_and_start(package, bootstrap, environment)
    first, second = first_photos(bootstrap, environment, records)
    print(
        f"first photo            {first:.0f} ms CPU, {first - second:.0f} ms more than the second "
        f"(medians of {FIRST_PHOTOS} processes)"
    )
    cpu, memory = cost(bootstrap, environment, notifications(records, 1))
    print(f"one photo              {cpu / PHOTOS:.0f} ms CPU (mean of {PHOTOS}), {memory:.0f} MB peak")
    cpu, memory = cost(bootstrap, environment, notifications(records, BATCH))
    print(f"an event of {BATCH} photos   {cpu / PHOTOS:.0f} ms CPU a photo, {memory:.0f} MB peak")


def measure_upload_url(aws: Clients, outputs: dict[str, str], package: Path, function: Path) -> None:
    bootstrap = function / "bootstrap"
    environment = function_environment(aws, outputs["UploadUrlFunctionName"])

    print("\nupload-url")
    print_size_and_start(package, bootstrap, environment)
    cpu, memory = cost(bootstrap, environment, [upload_request(BATCH)] * CALLS)
    print(f"a call for {BATCH} URLs     {cpu / CALLS:.1f} ms CPU (mean of {CALLS}), {memory:.0f} MB peak")


def print_size_and_start(package: Path, bootstrap: Path, environment: dict[str, str]) -> None:
    size = (package / "bootstrap.zip").stat().st_size
    print(f"package                {size / 1e6:.2f} MB zip")
    starts = [cold_start(bootstrap, environment) for _ in range(STARTS)]
    print(
        f"cold start             {median(cpu for cpu, _ in starts):.0f} ms CPU, "
        f"{median(wall for _, wall in starts):.0f} ms until it asks for its first event "
        f"(median of {STARTS} starts)"
    )


def function_environment(aws: Clients, function: str) -> dict[str, str]:
    configuration = aws.lambda_.get_function_configuration(FunctionName=function)
    return client_environment(aws.endpoint) | configuration["Environment"]["Variables"] | {
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
        "AWS_LAMBDA_LOG_GROUP_NAME": "measure",
        "AWS_LAMBDA_LOG_STREAM_NAME": "measure",
    }


def upload_photos(aws: Clients, bucket: str) -> list[dict[str, Any]]:
    """Uploads the photo under many keys; returns the records that S3 would send of them."""
    body = PHOTO.read_bytes()
    keys = [f"measure/{number:02}.jpg" for number in range(PHOTOS)]
    return [record_of(aws, bucket, key, body) for key in keys]


def record_of(aws: Clients, bucket: str, key: str, body: bytes) -> dict[str, Any]:
    """Uploads a photo; returns the record that S3 would send of it."""
    etag = aws.s3.put_object(Bucket=bucket, Key=key, Body=body)["ETag"].strip('"')
    record = json.loads((ROOT / "events/put.json").read_text())["Records"][0]
    entry = record["s3"]["object"] | {"key": key, "eTag": etag, "size": len(body)}
    return record | {"s3": record["s3"] | {"bucket": {"name": bucket}, "object": entry}}


def notifications(records: list[dict[str, Any]], size: int) -> Iterator[Any]:
    """Events of so many records, with a later sequencer each time: a photo that is READY already
    would cost less."""
    for start in range(0, len(records), size):
        event = records[start : start + size]
        for record in event:
            record["s3"]["object"]["sequencer"] = f"{time.time_ns():032X}"
        yield {"Records": event}


def upload_request(files: int) -> Any:
    """What Lambda makes of a POST to a function URL (payload format 2.0)."""
    file = {"contentType": "image/jpeg", "contentLength": PHOTO.stat().st_size, "album": "tokyo trip"}
    body = {"files": [file | {"fileName": f"IMG_{number:04}.jpg"} for number in range(files)]}
    return {
        "version": "2.0",
        "requestContext": {"timeEpoch": 0, "http": {"method": "POST", "path": "/"}},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def cold_start(bootstrap: Path, environment: dict[str, str]) -> tuple[float, float]:
    """CPU and wall time in ms from exec to the first request for an event."""
    started = time.monotonic()
    with running(bootstrap, environment) as function:
        function.wait_until_idle()
        wall = (time.monotonic() - started) * 1000
        return function.exact_cpu_ms(), wall


def first_photos(
    bootstrap: Path, environment: dict[str, str], records: list[dict[str, Any]]
) -> tuple[float, float]:
    """CPU ms of the first and the second photo of a process: what is left to be done once."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(FIRST_PHOTOS):
        with running(bootstrap, environment) as function:
            function.wait_until_idle()
            for number, event in enumerate(notifications(records[:2], 1)):
                before = function.exact_cpu_ms()
                function.handle(event, number)
                times[number].append(function.exact_cpu_ms() - before)
    return statistics.median(times[0]), statistics.median(times[1])


def cost(
    bootstrap: Path, environment: dict[str, str], events: Iterable[Any], log: IO[bytes] | None = None
) -> tuple[float, float]:
    """CPU ms and peak MB of one process that handles these events one after another, and logs there."""
    with running(bootstrap, environment, log) as function:
        function.wait_until_idle()
        at_start = function.cpu_ms()
        for number, event in enumerate(events):
            function.handle(event, number)
        return function.cpu_ms() - at_start, function.peak_mb()


class Function:
    """The function's process, and the Runtime API that it polls for events."""

    def __init__(
        self, process: subprocess.Popen[bytes], events: queue.Queue, idle: queue.Queue, errors: queue.Queue
    ):
        self.process = process
        self.events = events
        self.idle = idle
        self.errors = errors

    def wait_until_idle(self) -> None:
        try:
            self.idle.get(timeout=60)
        except queue.Empty:
            raise Problem("the function did not ask for an event within 60 s") from None

    def handle(self, event: Any, number: int) -> None:
        self.events.put((f"measure-{number}", json.dumps(event).encode()))
        self.wait_until_idle()
        if not self.errors.empty():
            raise Problem(f"the function failed: {self.errors.get()}")

    def exact_cpu_ms(self) -> float:
        """To the nanosecond, but of the threads that live: in the first seconds that is all of them."""
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e6

    def cpu_ms(self) -> float:
        """To the tick of 10 ms: enough for many events."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * TICK * 1000

    def peak_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


@contextmanager
def running(
    bootstrap: Path, environment: dict[str, str], log: IO[bytes] | None = None
) -> Iterator[Function]:
    events: queue.Queue = queue.Queue()
    idle: queue.Queue = queue.Queue()
    errors: queue.Queue = queue.Queue()
    server = ThreadingHTTPServer(("127.0.0.1", 0), runtime_api(events, idle, errors))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}"}
    process = subprocess.Popen(
        [bootstrap], env=environment | address, stdout=log or subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        yield Function(process, events, idle, errors)
    finally:
        process.kill()
        process.wait()
        events.put(None)
        server.shutdown()
        server.server_close()


def runtime_api(
    events: queue.Queue, idle: queue.Queue, errors: queue.Queue
) -> type[BaseHTTPRequestHandler]:
    """https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html"""

    class RuntimeApi(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            idle.put(None)
            event = events.get()
            if event is None:
                self.close_connection = True
                return
            request_id, payload = event
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + 300) * 1000)))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:measure")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def do_POST(self) -> None:
            answer = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not self.path.endswith("/response"):
                errors.put(answer.decode(errors="replace"))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    return RuntimeApi


def median(values: Iterator[float]) -> float:
    return statistics.median(list(values))


if __name__ == "__main__":
    exit_with(main)
