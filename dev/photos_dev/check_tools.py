#!/usr/bin/env python3
"""Checks that this machine has the build's tools, and installs missing ones if it is allowed to.

    check_tools.py            the tools of the build
    check_tools.py clients    those of the tests of clients/: Node, npm and a Chromium

It runs before anything is installed, so it uses only Python's standard library.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = (3, 10)  # the oldest that ministack supports
NODE = 18  # that of Debian 12

# Tool -> the Debian package that has it.
PACKAGES = {
    "cc": "gcc",
    "c++": "g++",
    "cmake": "cmake",  # builds libjpeg-turbo
    "nasm": "nasm",  # assembles its SIMD code
    "venv": "python3-venv",
}

CLIENTS_PACKAGES = {
    "node": "nodejs",
    "npm": "npm",
    "chromium": "chromium",
}
# Other names of Chromium, and a browser that is made of it.
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> None:
    if sys.argv[1:] == ["clients"]:
        install_missing(CLIENTS_PACKAGES)
        check_node()
    else:
        check_build_tools()


def check_build_tools() -> None:
    check_python()
    check_rust()
    check_processor()
    install_missing(PACKAGES)


def install_missing(packages: dict[str, str]) -> None:
    missing = [package for name, package in packages.items() if not is_there(name)]
    if missing:
        install(missing)


def check_python() -> None:
    if sys.version_info < PYTHON:
        wanted = ".".join(map(str, PYTHON))
        stop(f"Python {sys.version.split()[0]} is too old: install {wanted} or later")


def check_rust() -> None:
    wanted = re.search(r'(?m)^rust-version = "([\d.]+)"', (ROOT / "Cargo.toml").read_text())
    if not wanted or not shutil.which("rustc") or not shutil.which("cargo"):
        stop("Rust is missing: install it from https://rustup.rs")
    version = run("rustc", "--version").stdout
    found = re.match(r"rustc ([\d.]+)", version)
    if not found or numbers(found[1]) < numbers(wanted[1]):
        stop(f"{version.strip()} is too old, {wanted[1]} or later is needed: run `rustup update`")


def check_processor() -> None:
    processor = Path("/proc/cpuinfo")
    if platform.machine() == "x86_64" and processor.exists() and " bmi2 " not in processor.read_text():
        stop("this processor is older than Lambda's: remove -march=haswell from .cargo/config.toml")


def check_node() -> None:
    version = run("node", "--version").stdout.strip()
    if numbers(version.removeprefix("v")) < [NODE]:
        stop(f"Node {version} is too old: install {NODE} or later")


def is_there(name: str) -> bool:
    if name == "chromium":
        return any(shutil.which(browser) for browser in CHROMIUMS)
    if name == "venv":  # which Debian packages apart from Python
        return importlib.util.find_spec("ensurepip") is not None
    return shutil.which(name) is not None


def install(packages: list[str]) -> None:
    names = " ".join(packages)
    if not shutil.which("apt-get"):
        stop(f"tools are missing, install these packages: {names}")
    if os.geteuid() == 0:
        as_root = []
    elif shutil.which("sudo") and run("sudo", "-n", "true").returncode == 0:
        as_root = ["sudo", "-n"]
    else:
        stop(f"tools are missing, install their packages: sudo apt-get install {names}")
    apt_get = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes"]
    print(f"installing {names}", flush=True)
    run(*apt_get, "update")
    result = run(*apt_get, "install", "--no-install-recommends", *packages)
    if result.returncode != 0:
        print(result.stdout, file=sys.stderr)
        stop(f"apt-get could not install {names}, see its output above")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def stop(message: str) -> NoReturn:
    sys.exit(f"error: {message}")


if __name__ == "__main__":
    main()
