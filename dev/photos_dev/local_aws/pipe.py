"""Filter and input template of an EventBridge pipe, which the local AWS ignores.

Only the rules that template.yaml needs are here, and everything else is refused, so that nothing passes here that AWS
might understand differently:

- patterns (Amazon EventBridge User Guide, "Event patterns"; Amazon SNS Developer Guide, "Amazon SNS subscription filter
  policies", which are the same here): objects, and lists of texts and prefixes
- templates (Amazon EventBridge User Guide, "Amazon EventBridge Pipes input transformation"): paths of names

This file is also a Lambda function, so it imports nothing of this project: notices.py puts it between the local AWS's
pipe and the topic.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

VARIABLE = re.compile(r"<([^<>]*)>")
PATH = re.compile(r"\$(?:\.[A-Za-z0-9_-]+)+")


class Refused(ValueError):
    """A pattern, a template or a value of which AWS's pages do not say what becomes of it, or nothing good."""


def matches(pattern: Any, event: Any) -> bool:
    """Whether an event has everything that a pattern asks for."""
    match pattern:
        case dict() if pattern:
            has = event if isinstance(event, dict) else {}
            return all(name in has and matches(part, has[name]) for name, part in pattern.items())
        case list() if pattern:
            if isinstance(event, list):
                raise Refused(f"an event with a list where the pattern asks for {pattern}")
            return any(is_one(rule, event) for rule in pattern)
    raise Refused(f"a pattern with {pattern!r} in it")


def is_one(rule: Any, value: Any) -> bool:
    match rule:
        case str():
            return value == rule
        case {"prefix": str(prefix), **others} if not others:
            return isinstance(value, str) and value.startswith(prefix)
    raise Refused(f"a pattern with the rule {rule!r}")


def rendered(template: str, event: dict[str, Any]) -> str:
    """The template with the event's values in it."""
    text = VARIABLE.sub(lambda variable: inserted(template, variable, event), template)
    try:
        json.loads(text)
    except ValueError as error:
        raise Refused(f"a template of which {text!r} becomes, which is no JSON: {error}") from None
    return text


def inserted(template: str, variable: re.Match[str], event: dict[str, Any]) -> str:
    value = at(variable[1], event)
    is_quoted = template[variable.start() - 1] == '"' == template[variable.end() : variable.end() + 1]
    match value:
        case str() if is_quoted and json.dumps(value) == f'"{value}"':
            return value
        case str():
            raise Refused(f"{value!r} for {variable[0]}: texts are not escaped, and must stand between quotes")
        case _ if is_quoted:
            raise Refused(f"{variable[0]} between quotes: quotes inside of an object are removed then")
    return json.dumps(value, ensure_ascii=False)


def at(path: str, event: dict[str, Any]) -> Any:
    if not PATH.fullmatch(path):
        raise Refused(f"a template with <{path}>")
    value: Any = event
    for name in path.split(".")[1:]:
        if not isinstance(value, dict) or name not in value:
            raise Refused(f"{path}, which an event lacks: AWS does not say what is left in its place")
        value = value[name]
    return value


def handler(event: dict[str, Any], context: object) -> None:
    """Publishes what the pipe in AWS would, of the records that the local AWS's pipe publishes as they are."""
    import boto3

    patterns = json.loads(os.environ["PATTERNS"])
    for message in event["Records"]:
        record = json.loads(message["Sns"]["Message"])
        if any(matches(pattern, record) for pattern in patterns):
            notice = rendered(os.environ["INPUT_TEMPLATE"], record)
            boto3.client("sns").publish(TopicArn=os.environ["TOPIC"], Message=notice)
