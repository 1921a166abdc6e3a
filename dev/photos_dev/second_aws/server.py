"""moto's server: an emulator of AWS that is kept by others than the local AWS's, and shares no code with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from photos_dev.benches.install import tools_python
from photos_dev.local_aws.server import READY_SECONDS, end_group, free_port, wait_until
from photos_dev.paths import REQUIREMENTS, ROOT
from photos_dev.problem import Problem

SECOND = ROOT / "target/second-aws"
LOG = SECOND / "moto.log"
ACCOUNT_ID = "000000000000"  # as the local AWS's


class Moto:
    """A moto server of its own, running or not. It holds everything in its memory."""

    def __init__(self) -> None:
        port = free_port()
        # By this name: moto looks for a template's bucket in the path of its URL only if the host is called so.
        self.endpoint = f"http://localhost:{port}"
        self._port = port
        self._home: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Installs it, starts it, and returns its endpoint once that answers."""
        python = tools_python("moto", REQUIREMENTS / "second.txt", SECOND / "venv")
        self._home = Path(tempfile.mkdtemp(prefix="second-aws-"))
        with LOG.open("wb") as log:
            self._process = subprocess.Popen(
                [Path(python).with_name("moto_server"), "--host", "127.0.0.1", "--port", str(self._port)],
                cwd=self._home,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_until(self._healthy, READY_SECONDS)
        except TimeoutError:
            raise Problem(f"moto did not start, see {LOG.relative_to(ROOT)}") from None
        return self.endpoint

    def stop(self) -> None:
        if self._process:
            process = self._process
            end_group(process.pid, lambda: process.poll() is not None)
        if self._home:
            shutil.rmtree(self._home, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._home),
            "TMPDIR": str(self._home),
            "MOTO_ACCOUNT_ID": ACCOUNT_ID,
            # Else it allows every page of every origin to do everything, whatever the bucket says.
            "MOTO_DISABLE_GLOBAL_CORS": "true",
        }

    def _healthy(self) -> bool:
        if not self._process or self._process.poll() is not None:
            raise TimeoutError  # it ended before it answered
        without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with without_proxy.open(f"{self.endpoint}/moto-api/data.json", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False
