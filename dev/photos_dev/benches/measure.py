"""Measures the deployed functions: size, cold start, CPU time and memory.

This program starts the release builds itself, with a substitute for Lambda's Runtime API, because only a parent can
read their CPU time and memory. S3, DynamoDB and SQS are the local AWS, over TLS if it was started with TLS.
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
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

from photos_dev.benches.machine import processor
from photos_dev.benches.processes import Usage, cpu_seconds, usage_of
from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import Clients, deploy
from photos_dev.local_aws.server import client_environment, endpoint
from photos_dev.paths import PHOTO, ROOT
from photos_dev.problem import Problem, exit_with

STARTS = 20
FIRST_PHOTOS = 12
PHOTOS = 48
BATCH = 24
CALLS = 200


@dataclass(frozen=True)
class ColdStart:
    """A start: from exec until the process waits for work."""

    cpu_ms: float
    wall_ms: float


@dataclass(frozen=True)
class ThumbnailFigures:
    start: ColdStart
    first_ms: float  # CPU time of the first photo of a process
    second_ms: float
    photo_ms: float  # CPU time of a photo, each an event of its own
    photo_mb: float  # peak memory of the process
    batch_ms: float  # the same for a photo in an event of 24
    batch_mb: float


@dataclass(frozen=True)
class UploadUrlFigures:
    start: ColdStart
    call_ms: float  # CPU time of a call for 24 URLs
    call_mb: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path, help="folder of the packages that `make release` builds")
    packages = parser.parse_args().packages
    aws = Clients(endpoint())
    with deployed(aws, "measure", packages) as (functions, outputs):
        print(f"{PHOTO.name}, {processor()}, {os.cpu_count()} cores")
        print("\nthumbnail")
        print_thumbnail(packages, thumbnail_figures(aws, outputs, functions))
        print("\nupload-url")
        print_upload_url(packages, upload_url_figures(aws, outputs, functions))
    return 0


@contextmanager
def deployed(aws: Clients, stack: str, packages: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Deploys these packages; yields a temporary folder of their functions, and the outputs of the stack."""
    with tempfile.TemporaryDirectory() as directory:
        functions = Path(directory)
        for package in packages.glob("*/bootstrap.zip"):
            with zipfile.ZipFile(package) as archive:
                Path(archive.extract("bootstrap", functions / package.parent.name)).chmod(0o755)
        yield functions, deploy(aws.endpoint, stack, functions, {}, {})


def print_thumbnail(packages: Path, figures: ThumbnailFigures) -> None:
    print_size_and_start(package_mb(packages, "thumbnail"), figures.start)
    print(
        f"first photo            {figures.first_ms:.0f} ms CPU, {figures.first_ms - figures.second_ms:.0f} ms more "
        f"than the second (medians of {FIRST_PHOTOS} processes)"
    )
    print(f"one photo              {figures.photo_ms:.0f} ms CPU (mean of {PHOTOS}), {figures.photo_mb:.0f} MB peak")
    print(f"an event of {BATCH} photos   {figures.batch_ms:.0f} ms CPU a photo, {figures.batch_mb:.0f} MB peak")


def print_upload_url(packages: Path, figures: UploadUrlFigures) -> None:
    print_size_and_start(package_mb(packages, "upload-url"), figures.start)
    print(
        f"a call for {BATCH} URLs     {figures.call_ms:.1f} ms CPU (mean of {CALLS}), {figures.call_mb:.0f} MB peak"
    )


def print_size_and_start(size_mb: float, start: ColdStart) -> None:
    print(f"package                {size_mb:.2f} MB zip")
    print(
        f"cold start             {start.cpu_ms:.0f} ms CPU, {start.wall_ms:.0f} ms until it asks for its first event "
        f"(median of {STARTS} starts)"
    )


def package_mb(packages: Path, function: str) -> float:
    return (packages / function / "bootstrap.zip").stat().st_size / 1e6


def thumbnail_figures(
    aws: Clients, outputs: dict[str, str], functions: Path, rounds: int = 1
) -> ThumbnailFigures:
    """The lowest CPU time of some rounds, as it is the least disturbed, and the highest peak memory."""
    bootstrap = functions / "thumbnail/bootstrap"
    environment = silent_environment(aws, outputs)
    records = upload_photos(aws, outputs["OriginalsBucketName"])
    return ThumbnailFigures(
        cold_start(bootstrap, environment),
        *first_photos(bootstrap, environment, records),
        *photo_cost(bootstrap, environment, records, 1, rounds),
        *photo_cost(bootstrap, environment, records, BATCH, rounds),
    )


def photo_cost(
    bootstrap: Path, environment: dict[str, str], records: list[dict[str, Any]], size: int, rounds: int
) -> tuple[float, float]:
    """CPU ms of a photo in events of `size` photos, and peak MB: the least and the most of some rounds."""
    costs = [cost(bootstrap, environment, notifications(records, size)) for _ in range(rounds)]
    return min(cpu for cpu, _ in costs) / len(records), max(memory for _, memory in costs)


def upload_url_figures(aws: Clients, outputs: dict[str, str], functions: Path) -> UploadUrlFigures:
    bootstrap = functions / "upload-url/bootstrap"
    environment = function_environment(aws, outputs["UploadUrlFunctionName"])
    cpu, memory = cost(bootstrap, environment, [upload_request(BATCH)] * CALLS)
    return UploadUrlFigures(cold_start(bootstrap, environment), cpu / CALLS, memory)


def silent_environment(aws: Clients, outputs: dict[str, str]) -> dict[str, str]:
    """The environment of the thumbnail function, whose bucket no longer invokes it."""
    aws.s3.put_bucket_notification_configuration(
        Bucket=outputs["OriginalsBucketName"], NotificationConfiguration={}
    )
    return function_environment(aws, outputs["ThumbnailFunctionName"])


def function_environment(aws: Clients, function: str) -> dict[str, str]:
    configuration = aws.lambda_.get_function_configuration(FunctionName=function)
    return client_environment(aws.endpoint) | configuration["Environment"]["Variables"] | {
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
        "AWS_LAMBDA_LOG_GROUP_NAME": "measure",
        "AWS_LAMBDA_LOG_STREAM_NAME": "measure",
    }


def upload_photos(aws: Clients, bucket: str, photo: Path = PHOTO, count: int = PHOTOS) -> list[dict[str, Any]]:
    """Uploads the photo under many keys; returns the records that S3 would send."""
    body = photo.read_bytes()
    keys = [f"measure/{number:02}{photo.suffix}" for number in range(count)]
    return [record_of(aws, bucket, key, body) for key in keys]


def record_of(aws: Clients, bucket: str, key: str, body: bytes) -> dict[str, Any]:
    """Uploads a photo; returns the record that S3 would send."""
    etag = aws.s3.put_object(Bucket=bucket, Key=key, Body=body)["ETag"].strip('"')
    record = json.loads((ROOT / "events/put.json").read_text())["Records"][0]
    entry = record["s3"]["object"] | {"key": key, "eTag": etag, "size": len(body)}
    return record | {"s3": record["s3"] | {"bucket": {"name": bucket}, "object": entry}}


def notifications(records: list[dict[str, Any]], size: int) -> Iterator[Any]:
    """Events of `size` records, with a later sequencer each time, as a photo that is already READY would
    cost less."""
    for start in range(0, len(records), size):
        event = records[start : start + size]
        for record in event:
            record["s3"]["object"]["sequencer"] = f"{time.time_ns():032X}"
        yield {"Records": event}


def upload_request(files: int) -> Any:
    """The event that Lambda makes from a POST to a function URL (payload format 2.0)."""
    file = {"contentType": "image/jpeg", "contentLength": PHOTO.stat().st_size, "album": "tokyo trip"}
    body = {"files": [file | {"fileName": f"IMG_{number:04}.jpg"} for number in range(files)]}
    return {
        "version": "2.0",
        "requestContext": {"timeEpoch": 0, "http": {"method": "POST", "path": "/"}},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def cold_start(bootstrap: Path, environment: dict[str, str], starts: int = STARTS) -> ColdStart:
    """Medians of some starts, each until the first request for an event."""
    return median_start([one_start(bootstrap, environment) for _ in range(starts)])


def one_start(bootstrap: Path, environment: dict[str, str]) -> ColdStart:
    started = time.monotonic()
    with running(bootstrap, environment) as function:
        function.wait_until_idle()
        wall = time.monotonic() - started
        return ColdStart(function.cpu_ms(), wall * 1000)


def median_start(starts: list[ColdStart]) -> ColdStart:
    return ColdStart(
        statistics.median(start.cpu_ms for start in starts),
        statistics.median(start.wall_ms for start in starts),
    )


def first_photos(
    bootstrap: Path, environment: dict[str, str], records: list[dict[str, Any]]
) -> tuple[float, float]:
    """CPU ms of the first and the second photo of a process. The difference is work that is done once."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(FIRST_PHOTOS):
        with running(bootstrap, environment) as function:
            function.wait_until_idle()
            for number, event in enumerate(notifications(records[:2], 1)):
                before = function.cpu_ms()
                function.handle(event, number)
                times[number].append(function.cpu_ms() - before)
    return statistics.median(times[0]), statistics.median(times[1])


def cost(
    bootstrap: Path, environment: dict[str, str], events: Iterable[Any], log: IO[bytes] | None = None
) -> tuple[float, float]:
    """CPU ms and peak MB of one process that handles these events one after another, and writes to a log."""
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
        self._raise_errors()

    def handle_all(self, events: list[Any]) -> None:
        """Gives it all events, of which it takes as many at a time as it asks for."""
        for number, event in enumerate(events):
            self.events.put((f"measure-{number}", json.dumps(event).encode()))
        for _ in events:
            self.wait_until_idle()
        self._raise_errors()

    def _raise_errors(self) -> None:
        if not self.errors.empty():
            raise Problem(f"the function failed: {self.errors.get()}")

    def cpu_ms(self) -> float:
        return cpu_seconds(self.process.pid) * 1000

    def peak_mb(self) -> float:
        return self.usage().peak

    def usage(self) -> Usage:
        usage = usage_of(self.process.pid)
        if not usage:
            raise Problem("the function's process has ended")
        return usage


@contextmanager
def running(
    bootstrap: Path, environment: dict[str, str], log: IO[bytes] | None = None, cores: int | None = None
) -> Iterator[Function]:
    """The function's process, on the first cores of the machine or on all."""
    events: queue.Queue = queue.Queue()
    idle: queue.Queue = queue.Queue()
    errors: queue.Queue = queue.Queue()
    server = ThreadingHTTPServer(("127.0.0.1", 0), runtime_api(events, idle, errors))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}"}
    on_cores = ["taskset", "--cpu-list", f"0-{cores - 1}"] if cores else []
    process = subprocess.Popen(
        [*on_cores, bootstrap], env=environment | address, stdout=log or subprocess.DEVNULL, stderr=subprocess.PIPE
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


if __name__ == "__main__":
    exit_with(on_local_aws(main))
