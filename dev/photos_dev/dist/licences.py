"""Gathers the licences' texts of what is linked into the functions: most of them ask to be passed on with a program."""

from __future__ import annotations

import re
from pathlib import Path

from photos_dev.dist.crates import Crate

# The files of a crate, and of a library in a folder of it, that hold a licence or a notice.
LICENCE_FILE = re.compile(r"(?i)(licen[sc]e|copying|copyright|notice|unlicense|patents|readme\.ijg)")
# The IJG's licence asks for this sentence where only a program is passed on.
IJG = "This software is based in part on the work of the Independent JPEG Group."


def licences(crates: list[Crate]) -> str:
    """Each text once, with the crates that have it."""
    used: dict[str, list[str]] = {}
    without: list[str] = []
    for crate in (crate for crate in crates if not crate.is_ours):
        texts = [file.read_text(errors="replace").strip() for file in licence_files(crate)]
        for text in sorted(set(texts)):
            used.setdefault(text, []).append(f"{crate.name} {crate.version}")
        if not texts:
            without.append(f"{crate.name} {crate.version}: {crate.licence}")
    line = "=" * 80
    parts = [f"The functions contain these libraries, under these licences.\n\n{IJG}\n"]
    if without:
        parts.append("These have no file with the licence's text:\n\n" + "\n".join(without) + "\n")
    parts += [f"{', '.join(names)}\n\n{text}\n" for text, names in used.items()]
    return f"\n{line}\n".join(parts)


def licence_files(crate: Crate) -> list[Path]:
    files = [*crate.folder.iterdir(), *(crate.folder.glob("*/*") if crate.library else [])]
    return sorted(file for file in files if file.is_file() and LICENCE_FILE.match(file.name))
