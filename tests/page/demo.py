"""The demo's page as users meet it: the stack in the local AWS, the demo's server over it, and a browser."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from photos_dev.local_aws.deploy import Clients, deploy
from photos_dev.local_aws.server import client_environment, endpoint
from photos_dev.paths import FUNCTIONS

STACK = "page"
SCENES = Path(__file__).parent / "scenes.js"
# Those of `make demo`, from the Makefile: the page chooses by the screen.
RENDITIONS = os.environ["DEMO_RENDITIONS"]
SECRET = "of-the-page's-test"
# What the browser does on its own otherwise, beside what Playwright switches off.
QUIET = ["--disable-sync", "--disable-quic", "--disable-gpu"]
# On a busy machine.
PATIENCE_MS = 60_000
DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 360, "height": 740}


class Demo:
    """One stack, one server and one browser for all tests."""

    def __init__(self) -> None:
        self._ends = ExitStack()
        try:
            self.aws = Clients(endpoint())
            self.outputs = deploy(endpoint(), STACK, FUNCTIONS, {"Renditions": RENDITIONS}, {})
            self.url = self._serve()
            expect.set_options(timeout=PATIENCE_MS)
            playwright = self._ends.enter_context(sync_playwright())
            self.browser: Browser = playwright.chromium.launch(executable_path=os.environ["BROWSER"], args=QUIET)
            self._ends.callback(self.browser.close)
            self.files = Path(self._ends.enter_context(tempfile.TemporaryDirectory()))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._ends.close()

    def _serve(self) -> str:
        server = subprocess.Popen(
            [
                os.environ["DEMO_SERVER"],
                *("--function-url", self.outputs["UploadUrlFunctionUrl"]),
                *("--table", self.outputs["PhotosTableName"]),
                *("--port", "0"),
            ],
            env=client_environment(endpoint()) | {"NOTICES_SECRET": SECRET},
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ends.callback(end, server)
        assert server.stdout
        first_line = server.stdout.readline()
        if not first_line.startswith("http"):
            sys.exit("the demo's server did not start")
        return first_line.split(" ")[0].rstrip("/")

    def context(self, **options: Any) -> BrowserContext:
        context = self.browser.new_context(**({"viewport": DESKTOP, "reduced_motion": "reduce"} | options))
        context.set_default_timeout(PATIENCE_MS)
        return context

    def draw(self, scenes: list[dict[str, Any]]) -> list[bytes]:
        """JPEGs of scenes that are drawn in code."""
        context = self.context()
        page: Page = context.new_page()
        page.add_script_tag(path=SCENES)
        drawn = [base64.b64decode(page.evaluate("scene => drawScene(scene)", scene)) for scene in scenes]
        context.close()
        return drawn

    def choose(self, page: Page, files: dict[str, bytes]) -> None:
        """Chooses these files for upload, as a user does."""
        for name, content in files.items():
            (self.files / name).write_bytes(content)
        page.set_input_files("#drop input", [self.files / name for name in files])

    def put(self, key: str, photo: bytes) -> None:
        """Puts a photo into S3 without the page."""
        self.aws.s3.put_object(Bucket=self.outputs["OriginalsBucketName"], Key=key, Body=photo)

    def item(self, key: str) -> dict[str, Any]:
        return self.aws.dynamodb.get_item(
            TableName=self.outputs["PhotosTableName"], Key={"photoKey": {"S": key}}, ConsistentRead=True
        ).get("Item", {})


def end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait()
    if process.stdout:
        process.stdout.close()
