"""Packages of Lambda functions: a zip of one file."""

from __future__ import annotations

import io
import zipfile


def zipped(name: str, content: bytes, compression: int = zipfile.ZIP_STORED) -> bytes:
    """A deployment package, the same bytes for the same file. It is not compressed where it does not leave this
    machine."""
    entry = zipfile.ZipInfo(name)  # of 1980
    entry.compress_type = compression
    entry.external_attr = 0o100755 << 16
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(entry, content, compresslevel=9)
    return package.getvalue()
