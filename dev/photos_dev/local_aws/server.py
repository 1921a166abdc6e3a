"""A local AWS: one ministack process, which writes everything below one directory."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from photos_dev.paths import ROOT
from photos_dev.problem import Problem

READY_SECONDS = 60
STOP_SECONDS = 10

ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}


class LocalAws:
    """The local AWS of one directory, running or not.

    ministack holds a lock on its log while it runs. The lock says whether it runs: its process ID may
    belong to another process by now.
    """

    def __init__(self, directory: Path, scheme: str = "http") -> None:
        self.directory = directory
        self.scheme = scheme
        self.log = directory / "ministack.log"
        self.state = directory / "state.json"
        self.scratch = directory / "tmp"
        # ministack makes it if it speaks TLS.
        self.certificate = self.scratch / "ministack-tls/server.crt"

    def start(self) -> str:
        """Starts the local AWS unless it runs, and returns its endpoint once that answers."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        try:
            self._spawn_unless_running()
            wait_until(self._healthy, READY_SECONDS)
        except TimeoutError:
            last_line = self._last_log_line()
            self.stop()
            raise Problem(f"the local AWS did not start, see {self.log}: {last_line}") from None
        except BaseException:
            self.stop()
            raise
        return self.endpoint()

    def stop(self) -> None:
        """Ends the local AWS and its functions, if it runs, and removes its files."""
        if self.is_running() and self.state.exists():
            end_group(self._read_state()["pid"], lambda: not self.is_running())
        self.state.unlink(missing_ok=True)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def is_running(self) -> bool:
        try:
            with self.log.open("a") as log:
                fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False

    def endpoint(self) -> str:
        if not self.is_running():
            raise Problem("no local AWS is running: start it with `make up`")
        return self._read_state()["endpoint"]

    def trusted_roots(self) -> Path:
        """A file of the certificates that a client must trust: this machine's roots and the local AWS's."""
        system = ssl.get_default_verify_paths()
        files = [path for path in (system.cafile, self.certificate) if path and Path(path).exists()]
        roots = self.scratch / "roots.pem"
        roots.write_text("\n".join(Path(path).read_text() for path in files))
        return roots

    def _spawn_unless_running(self) -> None:
        with self.log.open("a") as log:
            try:
                fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # it runs, or another `up` is starting it
            log.truncate(0)
            self._spawn(log)

    def _spawn(self, log: TextIO) -> None:
        port = free_port()
        endpoint = f"{self.scheme}://127.0.0.1:{port}"
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            cwd=self.scratch,
            env=self._environment(endpoint, port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # so that it and its functions end together
        )
        # Renamed into place, so that no reader finds half of it.
        unfinished = self.state.with_suffix(".new")
        unfinished.write_text(json.dumps({"endpoint": endpoint, "pid": process.pid}) + "\n")
        unfinished.rename(self.state)

    def _environment(self, endpoint: str, port: int) -> dict[str, str]:
        """A short environment: the functions inherit it, and must not find the settings, proxies and AWS
        profiles of the user who started the local AWS."""
        scratch = str(self.scratch)
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": scratch,
            "TMPDIR": scratch,
            "PYTHONDONTWRITEBYTECODE": "1",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "STATE_DIR": scratch,
            "S3_DATA_DIR": scratch,
            # Signatures and policies are checked: the functions have only the rights of their roles.
            "AUTH": "true",
            "USE_SSL": "1" if self.scheme == "https" else "",
            # Without it the functions would call the real AWS.
            "AWS_ENDPOINT_URL": endpoint,
            # A failed invocation is tried again after 1 and 2 seconds; in AWS, after minutes.
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "1",
            **ACCOUNT,
        }

    def _healthy(self) -> bool:
        if not self.is_running():
            raise TimeoutError  # it ended before it answered
        if not self.state.exists():
            return False
        trust = ssl.create_default_context()
        try:
            if self.scheme == "https":
                trust.load_verify_locations(self.certificate)
            without_proxy = urllib.request.build_opener(
                urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
            )
            url = self._read_state()["endpoint"] + "/_ministack/health"
            with without_proxy.open(url, timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def _read_state(self) -> dict:
        return json.loads(self.state.read_text())

    def _last_log_line(self) -> str:
        lines = self.log.read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote no log")


def shared() -> LocalAws:
    """The local AWS of this checkout, which `make up` starts and `make stop` ends."""
    return LocalAws(ROOT / ".local")


def endpoint() -> str:
    """The endpoint of the local AWS to use: that of the environment, else that of this checkout."""
    return os.environ.get("AWS_ENDPOINT_URL") or shared().endpoint()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Returns once the condition holds; raises TimeoutError if it does not hold in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)


def end_group(leader: int, has_ended: Callable[[], bool]) -> None:
    """Asks a group of processes to end, waits for its leader, and kills what is left of it."""
    try:
        os.killpg(leader, signal.SIGTERM)
        wait_until(has_ended, STOP_SECONDS)
    except (ProcessLookupError, TimeoutError):
        pass
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def client_environment(endpoint: str, trusted_roots: Path | None = None) -> dict[str, str]:
    """The caller's environment, with this local AWS as the only AWS that a command can reach."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    if trusted_roots:
        # The SDK of Rust reads the first file, that of Python the second. A directory would count too.
        environment.pop("SSL_CERT_DIR", None)
        environment |= {"SSL_CERT_FILE": str(trusted_roots), "AWS_CA_BUNDLE": str(trusted_roots)}
    return environment | {
        **ACCOUNT,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        # So that commands find the Python that has the packages they need.
        "PATH": str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", os.defpath),
    }
