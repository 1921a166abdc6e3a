"""Signs requests as botocore does, AWS's own SDK for Python: for tests of URLs that were signed by other code.

Reads a JSON list of `{"method", "url", "headers"}` whose URLs are signed, and prints the list of the URLs that botocore
gives for the same requests, keys, times and lifetimes.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def sign(request: dict[str, Any]) -> str:
    url = urlsplit(request["url"])
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    of_signature = {name: query.pop(name) for name in list(query) if name.startswith("X-Amz-")}
    unsigned = urlunsplit(url._replace(query=urlencode(query)))
    keys = Credentials(*(os.environ[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")))
    signer = auth.S3SigV4QueryAuth(keys, "s3", os.environ["AWS_REGION"], expires=int(of_signature["X-Amz-Expires"]))
    aws_request = AWSRequest(method=request["method"], url=unsigned, headers=request["headers"])
    time = datetime.strptime(of_signature["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    with mock.patch.object(auth, "get_current_datetime", lambda: time):
        signer.add_auth(aws_request)
    return aws_request.url


if __name__ == "__main__":
    print(json.dumps([sign(request) for request in json.load(sys.stdin)]))
