"""The function's lines in CloudWatch Logs."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from photos_dev.local_aws.deploy import Clients

PLATFORM = ("START ", "END ", "REPORT ")  # the lines that Lambda adds to the function's own


def log_lines(aws: Clients, function: str, since: datetime) -> list[str]:
    logging = aws.lambda_.get_function_configuration(FunctionName=function).get("LoggingConfig", {})
    pages = aws.logs.get_paginator("filter_log_events").paginate(
        logGroupName=logging.get("LogGroup", f"/aws/lambda/{function}"),
        startTime=int(since.timestamp() * 1000),
    )
    events = [event for page in pages for event in page["events"]]
    return [event["message"].rstrip() for event in sorted(events, key=lambda e: e["timestamp"])]


def own_lines(lines: list[str]) -> list[str]:
    """The lines that the function itself wrote, without the member that tells CloudWatch which numbers are
    metrics."""
    return [without_directive(line) for line in lines if not line.startswith(PLATFORM)]


def without_directive(line: str) -> str:
    entry = parse_object(line)
    return json.dumps(entry, ensure_ascii=False) if entry.pop("_aws", None) else line


def parse_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
