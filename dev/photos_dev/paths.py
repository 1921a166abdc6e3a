"""Paths of this checkout, and the environment in which another Python finds modules in them."""

from __future__ import annotations

import os
from pathlib import Path

DEV = Path(__file__).resolve().parent.parent
ROOT = DEV.parent
DOCS = ROOT / "docs"
TEMPLATE = ROOT / "template.yaml"
# Pins of each Python environment.
REQUIREMENTS = DEV / "requirements"
# `make build` puts NAME/bootstrap here.
FUNCTIONS = ROOT / "target/lambda"
# The test photo.
PHOTO = ROOT / "tests/photos/ref-5323x8000.jpg"


def environment_with(*folders: Path) -> dict[str, str]:
    """The caller's environment, for another Python that also imports modules from these folders."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))}
