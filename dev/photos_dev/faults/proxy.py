"""mitmproxy between the function and the local AWS, and its journal of their calls."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from typing import Any

from photos_dev.benches.install import tools_python
from photos_dev.local_aws.server import free_port, wait_until
from photos_dev.paths import DEV, REQUIREMENTS, ROOT, environment_with
from photos_dev.problem import Problem

HERE = Path(__file__).resolve().parent
FAULTS = ROOT / "target/faults"
READY_SECONDS = 30


class Proxy:
    """A running mitmproxy. Its journal has a line for each call that the function made."""

    def __init__(self, aws_endpoint: str, seed: int, waits: bool = False) -> None:
        python = tools_python("mitmproxy", REQUIREMENTS / "faults.txt", FAULTS / "venv")
        mitmdump = Path(python).with_name("mitmdump")
        self.journal, self.log = FAULTS / "journal.jsonl", FAULTS / "mitmdump.log"
        self.journal.write_text("")
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        options = {
            "listen_host": "127.0.0.1",
            "listen_port": self.port,
            # The signature covers the host that the function called.
            "keep_host_header": "true",
            # A call that does not reach AWS needs no connection to it.
            "connection_strategy": "lazy",
            "confdir": FAULTS / "mitmproxy",
            "flow_detail": 0,
            "termlog_verbosity": "warn",
            "seed": seed,
            "journal": self.journal,
            "waits": str(waits).lower(),
        }
        command = [mitmdump, "--mode", f"reverse:{aws_endpoint}", "--scripts", HERE / "inject.py"]
        command += [part for name, value in options.items() for part in ("--set", f"{name}={value}")]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command,
                env=environment_with(DEV),  # for the imports of inject.py
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Proxy:
        try:
            wait_until(self.is_listening, READY_SECONDS)
        except TimeoutError:
            self.stop()
            raise Problem(f"mitmproxy did not start, see {self.log.relative_to(ROOT)}") from None
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def is_listening(self) -> bool:
        if self.process.poll() is not None:
            raise TimeoutError  # it ended before it listened
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def complaints(self) -> list[str]:
        """Errors of the proxy itself, which logs nothing else."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [f"mitmproxy: {lines[0]}, see {self.log.relative_to(ROOT)}"] if lines else []

    def journal_bytes(self) -> int:
        return self.journal.stat().st_size

    def calls(self) -> list[dict[str, Any]]:
        """All calls so far, in the order in which the service received them."""
        lines = self.journal.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]
