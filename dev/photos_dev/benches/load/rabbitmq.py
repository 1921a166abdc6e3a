"""A RabbitMQ broker of its own, on the loopback interface.

Debian's packages are unpacked below target/ and not installed, as installing would start a system service.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from photos_dev.benches.install import Missing, install_once
from photos_dev.benches.load.costs import ColdStart
from photos_dev.benches.load.packages import COMPARE
from photos_dev.benches.load.programs import Program
from photos_dev.benches.processes import family, usage_of
from photos_dev.local_aws.server import free_port, wait_until
from photos_dev.paths import ROOT
from photos_dev.problem import Problem

DEBIAN = COMPARE / "rabbitmq"
STATE = COMPARE / "rabbitmq-state"
LOOPBACK = "127.0.0.1"
READY_SECONDS = 60

# Replaces Debian's start script of Erlang, which only works in /usr/lib/erlang.
ERL = """\
#!/bin/sh
export ROOTDIR='{root}' BINDIR='{programs}' EMU=beam PROGNAME=erl
exec "$BINDIR/erlexec" "$@"
"""


class Broker:
    """A broker that runs between `with` and its end."""

    def __init__(self) -> None:
        unpack()
        self.erlang = DEBIAN / "usr/lib/erlang"
        self.programs = only(self.erlang, "erts-*") / "bin"
        self.rabbitmq = only(DEBIAN, "usr/lib/rabbitmq/lib/rabbitmq_server-*")
        self.version = self.rabbitmq.name.partition("-")[2]
        self.port = free_port()
        self.stack = ExitStack()

    def __enter__(self) -> Broker:
        shutil.rmtree(STATE, ignore_errors=True)
        STATE.mkdir()
        erl = STATE / "erl"
        erl.write_text(ERL.format(root=self.erlang, programs=self.programs))
        erl.chmod(0o755)
        with ExitStack() as stack:  # ends one program if the other does not start
            environment = self.environment()
            # The broker would start epmd itself, and leave it running.
            epmd = [str(self.programs / "epmd"), "-address", LOOPBACK]
            stack.enter_context(Program(epmd, COMPARE / "epmd.log", environment, is_heard=False))
            server = [str(self.rabbitmq / "sbin/rabbitmq-server")]
            log = COMPARE / "rabbitmq-server.log"
            self.program = stack.enter_context(Program(server, log, environment, is_heard=False))
            self.start = self.wait()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    @property
    def pid(self) -> int:
        return self.program.pid

    def environment(self) -> dict[str, str]:
        """https://www.rabbitmq.com/docs/configure#supported-environment-variables"""
        return {
            "PATH": f"{STATE}:{os.environ['PATH']}",
            "HOME": str(STATE),  # where Erlang keeps its cookie
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(free_port()),
            "RABBITMQ_NODENAME": "load@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(STATE / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(STATE / "plugins"),
            "RABBITMQ_LOG_BASE": str(STATE),
            "RABBITMQ_MNESIA_BASE": str(STATE),
            "RABBITMQ_PID_FILE": str(STATE / "pid"),
            # With this, the script becomes the broker instead of waiting for it.
            "RABBITMQ_ALLOW_INPUT": "true",
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
        }

    def wait(self) -> ColdStart:
        try:
            wait_until(self.is_listening, READY_SECONDS)
        except TimeoutError:
            raise Missing(f"the broker did not start, see {self.program.log.relative_to(ROOT)}") from None
        usages = [usage for pid in family(self.pid) if (usage := usage_of(pid))]
        wall = time.monotonic() - self.program.started
        return ColdStart(sum(usage.cpu for usage in usages) * 1000, wall * 1000)

    def is_listening(self) -> bool:
        if self.program.process.poll() is not None:
            raise TimeoutError  # it ended before it listened
        with socket.socket() as connection:
            return connection.connect_ex((LOOPBACK, self.port)) == 0


def unpack() -> None:
    DEBIAN.mkdir(parents=True, exist_ok=True)
    packages = wanted()
    pins = COMPARE / "rabbitmq.txt"
    pins.write_text("".join(f"{name}={version}\n" for name, version in packages.items()))
    unpack_each = 'for package in *.deb; do dpkg-deb -x "$package" . && rm "$package" || exit; done'
    install_once(DEBIAN, pins, ["apt-get", "download", *packages], ["sh", "-c", unpack_each])


def wanted() -> dict[str, str]:
    """Versions of RabbitMQ's and Erlang's packages. Every Debian has their other dependencies."""
    if not shutil.which("apt-get"):
        raise Missing("RabbitMQ comes from Debian's packages, but apt-get is missing")
    nothing_installed = ["-o", f"Dir::State::status={os.devnull}"]
    simulate = ["apt-get", "install", "--simulate", "--no-install-recommends", *nothing_installed]
    plan = subprocess.run([*simulate, "rabbitmq-server"], capture_output=True, text=True)
    found = dict(re.findall(r"(?m)^Inst (rabbitmq-server|erlang-\S+) \((\S+)", plan.stdout))
    if plan.returncode != 0 or "rabbitmq-server" not in found:
        raise Missing("apt-get does not find rabbitmq-server: run `apt-get update` as root")
    return found


def only(directory: Path, pattern: str) -> Path:
    found = list(directory.glob(pattern))
    if len(found) != 1:
        raise Problem(f"{directory.relative_to(ROOT)} has {len(found)} of {pattern}, not 1: remove it, try again")
    return found[0]
