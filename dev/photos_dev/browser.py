"""Runs Python with what drives a browser: `python -m photos_dev.browser -m unittest ...`.

That Python has Playwright, and the packages of this one. The browser is the machine's own Chromium or Chrome; the
variable BROWSER has its path. Where there is none, Debian's is installed if that is allowed.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

from photos_dev.benches.install import Missing, install_debian, tools_python
from photos_dev.check_tools import CHROMIUMS
from photos_dev.paths import DEV, REQUIREMENTS, ROOT, environment_with
from photos_dev.problem import Problem, exit_with

ENVIRONMENT = ROOT / "target/browser"
# The font makes screenshots look alike everywhere.
PACKAGES = ("chromium", "fonts-inter")


def main() -> int:
    browser = find_browser() or installed_browser()
    python = tools_python("Playwright", REQUIREMENTS / "browser.txt", ENVIRONMENT)
    packages = Path(sysconfig.get_path("purelib"))
    environment = environment_with(DEV, packages) | {"BROWSER": browser}
    os.execve(python, [python, *sys.argv[1:]], environment)


def find_browser() -> str | None:
    return next(filter(None, map(shutil.which, CHROMIUMS)), None)


def installed_browser() -> str:
    try:
        install_debian(*PACKAGES)
    except Missing as reason:
        raise Problem(str(reason)) from None
    browser = find_browser()
    if not browser:
        raise Problem(f"no browser is found, although {PACKAGES[0]} is installed: put one on PATH as {CHROMIUMS[0]}")
    return browser


if __name__ == "__main__":
    exit_with(main)
