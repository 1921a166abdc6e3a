"""Where things are in this checkout, and how other Pythons find modules in it."""

from __future__ import annotations

import os
from pathlib import Path

DEV = Path(__file__).resolve().parent.parent
ROOT = DEV.parent
DOCS = ROOT / "docs"
# With the pins of each Python environment.
REQUIREMENTS = DEV / "requirements"
# Where `make build` puts NAME/bootstrap.
FUNCTIONS = ROOT / "target/lambda"
# The test photo.
PHOTO = ROOT / "tests/photos/ref-5323x8000.jpg"


def environment_with(*folders: Path) -> dict[str, str]:
    """The caller's environment for another Python, which imports modules from these folders too."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))}
