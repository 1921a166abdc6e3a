"""Reads share copies with exiftool, and lists what they tell: `make strip-check`.

For each photo, and for a variant of it into which exiftool wrote every place that it can write, it makes both copies.
A copy without place may hold no tag that exiftool groups under Location, none whose name says so, and not the name of
the place that was written. A copy without metadata may hold no tag of EXIF, XMP, IPTC, makers or texts but the
orientation. Both must have the pixels of the original.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from photos_dev.exif_check import BATCH, require_exiftool
from photos_dev.problem import Problem, exit_with

EXTENSIONS = (".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".webp", ".heic", ".heif", ".hif", ".avif")
# The name of the place that is written. No photo has it.
PLACE = "Xanadu-on-Alph"
NAMES_OF_PLACES = re.compile(
    r"GPS|^Geo|Location|Latitude|Longitude|City$|Country|State$|Province|Landmark|Sublocation|MotionPhoto|MicroVideo",
    re.IGNORECASE,
)
# Names that mean something else: a point in the picture, sensitivities, the program's own messages.
OTHER_NAMES = ("SubjectLocation", "ISOSpeedLatitudeyyy", "ISOSpeedLatitudezzz", "RetouchAreaOpacity", "Directory")
# Groups, and tags with their groups, that exiftool makes of others, of the file, or of the picture.
OF_PICTURE = re.compile(
    r"ExifTool|System|File|Composite|JFIF|Adobe|ICC[-_].*|PNG-pHYs|PNG-cICP|(?:QuickTime|Meta|Track\d+|HEIC).*"
    r"|RIFF|PNG|IFD0:Orientation"
)
# Groups of OF_PICTURE with tags of people and programs, and the names of those tags.
OF_PEOPLE = re.compile(
    r"(?:PNG|RIFF|QuickTime|Meta):(?:Title|Author|Description|Copyright|Creation.*|Software|Disclaimer|Warning|Source"
    r"|Comment|ModifyDate|Artist|Make|Model|.*Date|XMP|EXIF|RawProfile.*)|File:Comment"
)


def main() -> int:
    parser = argparse.ArgumentParser(description="Lists what share copies of photos tell.")
    parser.add_argument("program", type=Path, metavar="STRIPPED_PROGRAM", help="the built photo/examples/stripped.rs")
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="folder of photos")
    options = parser.parse_args()
    require_exiftool()
    photos = [photo for folder in options.folders for photo in photos_below(folder.resolve())]
    if not photos:
        raise Problem("no photos of which copies are made: name a folder of JPEG, PNG, WebP or HEIC")
    places = writable_places()
    report = Counter()
    for number in range(0, len(photos), BATCH):
        print(f"\r{number} of {len(photos)} photos", end="", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            check(photos[number : number + BATCH], places, options.program, Path(folder), report)
    print(f"\r{len(photos)} of {len(photos)} photos", file=sys.stderr)
    for what, count in sorted(report.items()):
        print(f"{count:6} {what}")
    return 1 if report["complaints"] else 0


def photos_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in EXTENSIONS)


def check(photos: list[Path], places: list[str], program: Path, folder: Path, report: Counter[str]) -> None:
    """Makes the copies of some photos and of their variants, and reads them."""
    variants = with_places(photos, places, folder / "variants")
    report["photos"] += len(photos)
    report["variants with places"] += len(variants)
    told = sum(1 for tags in tags_of(variants) if any(is_of_place(name) for name in tags))
    report["variants of which exiftool reads a place"] += told
    originals = [*photos, *variants]
    result = subprocess.run([program, folder / "copies", *originals], capture_output=True, text=True)
    if result.returncode != 0:
        raise Problem(f"{program} failed ({result.returncode}): {result.stderr.strip()[-500:]}")
    copies = []
    for line in result.stdout.splitlines():
        original, _, copy = line.partition("\t")
        if copy.startswith("absent"):
            report[copy] += 1
        elif not Path(copy).is_file():
            complain(report, original, copy)
        else:
            copies.append(Path(copy))
    for copy, tags in zip(copies, tags_of(copies), strict=True):
        kind = copy.relative_to(folder / "copies").parts[0]
        report[f"copies ({kind})"] += 1
        is_told = is_of_place if kind == "location" else is_of_metadata
        for name in tags:
            if is_told(name):
                complain(report, str(copy), f"{name} = {tags[name]}")
        if PLACE.encode() in copy.read_bytes():
            complain(report, str(copy), "the name of the place")


def complain(report: Counter[str], file: str, what: str) -> None:
    report["complaints"] += 1
    print(f"{file}: {what}")


def is_of_place(name: str) -> bool:
    """Whether a tag, named as group 1, group 2 and name, tells a place."""
    groups, _, tag = name.rpartition(":")
    return tag not in OTHER_NAMES and ("Location" in groups.split(":") or bool(NAMES_OF_PLACES.search(tag)))


def is_of_metadata(name: str) -> bool:
    group, *_, tag = name.split(":")
    names = (group, f"{group}:{tag}")
    return bool(OF_PEOPLE.fullmatch(names[1])) or not any(OF_PICTURE.fullmatch(name) for name in names)


def with_places(photos: Iterable[Path], places: list[str], folder: Path) -> list[Path]:
    """Copies of the photos into which exiftool has written every place that it can write, with a second picture
    behind each JPEG that has one too."""
    folder.mkdir(parents=True)
    for number, photo in enumerate(photos):
        shutil.copyfile(photo, folder / f"{number:04}{photo.suffix.lower()}")
    arguments = folder / "arguments"
    arguments.write_text("\n".join(["-q", "-q", "-m", "-overwrite_original", *places]))
    paths = sorted(path for path in folder.iterdir() if path != arguments)
    subprocess.run(["exiftool", "-@", arguments, "--", *paths], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    arguments.unlink()
    for path in paths:
        file = path.read_bytes()
        if file.startswith(b"\xff\xd8"):
            path.write_bytes(file + file)
    return paths


def writable_places() -> list[str]:
    """An argument of exiftool for each tag of a place that it can write."""
    # It lists the tags, and then complains that it was given no file.
    command = ["exiftool", "-listx", "-lang", "en", "-EXIF:all", "-XMP:all", "-IPTC:all"]
    tables = ElementTree.fromstring(subprocess.run(command, capture_output=True).stdout)
    arguments = ["-Comment=" + PLACE + " GPS", "-EXIF:MakerNoteUnknown=" + PLACE]
    for table in tables:
        for tag in table.iter("tag"):
            group = tag.get("g1") or table.get("g1") or ""
            kind = tag.get("g2") or table.get("g2")
            name = tag.get("name") or ""
            if tag.get("writable") != "true" or (tag.get("g0") or table.get("g0")) not in ("EXIF", "XMP", "IPTC"):
                continue
            if is_of_place(f"{group}:{kind}:{name}"):
                arguments += (f"-{group}:{name}={value}" for value in values(tag.get("type") or ""))
    return arguments


def values(kind: str) -> list[str]:
    """Values of this type. exiftool leaves those out that a tag does not take."""
    if kind in ("string", "lang-alt", "undef"):
        return [PLACE[:3], PLACE]
    return ["12"] if kind != "struct" else []


def tags_of(paths: list[Path]) -> Iterator[dict[str, str]]:
    """The tags of each file, also those of embedded and unknown kinds."""
    if not paths:
        return
    command = ["exiftool", "-q", "-q", "-json", "-a", "-u", "-ee", "-G1:2:4", "--", *map(str, paths)]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    tags = {photo.pop("SourceFile"): photo for photo in json.loads(result.stdout, strict=False)}
    for path in paths:
        yield tags.get(str(path), {"ExifTool:None:NoOutput": ""})


if __name__ == "__main__":
    exit_with(main)
