"""The faults, as an addon of mitmproxy between the function and the local AWS.

Each call adds a line of JSON to the journal: the call and its photo, the fault that it met, the status that the
service answered (null if the call did not reach it), and what the call was to write.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import Counter
from typing import Any
from urllib.parse import unquote, urlsplit

from mitmproxy import ctx, http
from mitmproxy.net.http.http1 import assemble_response_head

from photos_dev.faults import plan

S3_OPERATIONS = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
PIECES = 20
# Key that the function reads to open its connection.
NO_PHOTO = "/"

# Status, name and message of errors as the services send them. S3: API Reference, "Error responses";
# DynamoDB: Developer Guide, "Error handling with DynamoDB"; SQS: API Reference, "SendMessage" and "Common
# errors".
ERRORS = {
    ("s3", "throttled"): (503, "SlowDown", "Please reduce your request rate."),
    ("s3", "500"): (500, "InternalError", "We encountered an internal error. Please try again."),
    ("dynamodb", "throttled"): (
        400,
        "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded.",
    ),
    ("dynamodb", "500"): (
        500,
        "com.amazonaws.dynamodb.v20120810#InternalServerError",
        "The request processing has failed because of an unknown error.",
    ),
    ("sqs", "throttled"): (
        400,
        "com.amazonaws.sqs#RequestThrottled",
        "The request was denied due to request throttling.",
    ),
    ("sqs", "500"): (
        500,
        "com.amazonaws.sqs#InternalFailure",
        "The request processing has failed because of an unknown error, exception or failure.",
    ),
}


class Inject:
    def __init__(self) -> None:
        self.numbers: Counter[tuple[str, str, str]] = Counter()

    def load(self, loader: Any) -> None:
        loader.add_option("seed", int, 0, "seed of the faults")
        loader.add_option("journal", str, "", "file to which each call adds a line")
        loader.add_option("waits", bool, False, "whether each call waits as long as it would in AWS")

    def running(self) -> None:
        self.journal = open(ctx.options.journal, "a", buffering=1)

    async def request(self, flow: http.HTTPFlow) -> None:
        call = read(flow.request)
        if not call:
            return
        counted = (call["key"], call["operation"], call["rendition"])
        drawn = (ctx.options.seed, *counted, self.numbers[counted])
        self.numbers[counted] += 1
        call["fault"] = plan.fault(*drawn)
        flow.metadata.update(call=call, drawn=drawn)
        if ctx.options.waits:
            await asyncio.sleep(plan.WAITS_MS[call["operation"]] / 1000)
        if call["fault"] in plan.BEFORE_THE_SERVICE:
            self.note(flow, None)
            if call["fault"] == "reset":
                reset(flow)
            else:
                flow.response = refusal(call["service"], call["fault"])
                if flow.request.method == "HEAD":
                    flow.response.content = b""

    async def response(self, flow: http.HTTPFlow) -> None:
        assert flow.response
        call = flow.metadata.get("call")
        if not call or call["fault"] in plan.BEFORE_THE_SERVICE:
            return
        if call["operation"] == "PutObject":
            call["etag"] = flow.response.headers.get("etag")
        self.note(flow, flow.response.status_code)
        match call["fault"]:
            case "lost":
                reset(flow)
            case "stalled":
                await asyncio.sleep(plan.STALL_SECONDS)
                flow.kill()
            case "cut":
                body = flow.response.raw_content or b""
                await send(flow, [body[: len(body) // 2]], 0)
            case "slow":
                body = flow.response.raw_content or b""
                size = max(1, len(body) // PIECES)
                pieces = [body[start : start + size] for start in range(0, len(body), size)]
                seconds = plan.trickle_seconds(*flow.metadata["drawn"])
                await send(flow, pieces, seconds / max(1, len(pieces)))

    def error(self, flow: http.HTTPFlow) -> None:
        """Notes a call whose connection ended before the answer."""
        if "call" in flow.metadata and "status" not in flow.metadata["call"]:
            self.note(flow, None)

    def note(self, flow: http.HTTPFlow, status: int | None) -> None:
        flow.metadata["call"]["status"] = status
        self.journal.write(json.dumps(flow.metadata["call"]) + "\n")


def read(request: http.Request) -> dict[str, Any] | None:
    """The call, its photo, and what it is to write. None for calls that only open a connection, which are about no
    photo."""
    target = request.headers.get("x-amz-target", "")
    if not target:
        path = unquote(urlsplit(request.path).path)
        key, rendition = plan.photo_of(path.lstrip("/").partition("/")[2])
        if not key:
            return None
        operation = S3_OPERATIONS.get(request.method, request.method)
        original = request.headers.get("x-amz-meta-original-etag")
        return {"service": "s3", "operation": operation, "key": key, "rendition": rendition, "original": original}
    version, _, operation = target.partition(".")
    body = json.loads(request.get_content() or b"{}")
    if operation == "GetQueueAttributes":
        return None
    if operation == "SendMessage":
        dead_letter = json.loads(body["MessageBody"])["requestPayload"]["Records"][0]["s3"]["object"]
        key = body["MessageAttributes"]["PhotoKey"]["StringValue"]
        written = {"sequencer": dead_letter["sequencer"].upper().zfill(32)}  # as items have it
    else:
        key = body["Key"]["photoKey"]["S"]
        if key == NO_PHOTO:
            return None
        values = body.get("ExpressionAttributeValues", {})
        attributes = {"sequencer": ":sequencer", "writes": ":status"}
        written = {name: values[text]["S"] for name, text in attributes.items() if text in values}
    service = "sqs" if version == "AmazonSQS" else "dynamodb"
    return {"service": service, "operation": operation, "key": key, "rendition": "", **written}


def refusal(service: str, fault: str) -> http.Response:
    if fault == "503":
        page = b"<html><body><h1>503 Service Unavailable</h1></body></html>"
        return http.Response.make(503, page, {"Content-Type": "text/html"})
    status, name, message = ERRORS[service, fault]
    if service == "s3":
        xml = f"<Error><Code>{name}</Code><Message>{message}</Message></Error>"
        return http.Response.make(status, xml, {"Content-Type": "application/xml"})
    error = json.dumps({"__type": name, "message": message})
    return http.Response.make(status, error, {"Content-Type": "application/x-amz-json-1.0"})


def reset(flow: http.HTTPFlow) -> None:
    """Resets the function's connection: closing a socket that lingers for 0 s sends RST (socket(7))."""
    if writer := to_function(flow):
        no_time = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_time)
    flow.kill()


async def send(flow: http.HTTPFlow, pieces: list[bytes], pause: float) -> None:
    """Sends the answer's head and pieces of its body, and ends the connection. mitmproxy itself would send the whole
    body at once."""
    assert flow.response
    headers = flow.response.headers
    headers.pop("transfer-encoding", None)
    headers["content-length"] = str(len(flow.response.raw_content or b""))
    headers["connection"] = "close"
    for piece in [assemble_response_head(flow.response), *pieces]:
        writer = to_function(flow)
        if not writer or writer.is_closing():
            break
        writer.write(piece)
        await asyncio.sleep(pause)
    flow.kill()


def to_function(flow: http.HTTPFlow) -> asyncio.StreamWriter | None:
    """The connection to the function; None if the function has ended it."""
    handler = ctx.master.addons.get("proxyserver").connections.get(flow.client_conn.id)
    transport = handler and handler.transports.get(flow.client_conn)
    return transport.writer if transport else None


addons = [Inject()]
