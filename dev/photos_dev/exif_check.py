"""Compares the facts that this crate reads in photos' metadata with exiftool's: `make exif-check`.

It compares exiftool's tags of EXIF's own groups, and dates, location and lens of XMP, IPTC and PNG if EXIF has
none. Maker notes and exiftool's composite tags do not count. If the crate leaves a value out on purpose (an
exposure of zero, a location without a fix, an impossible date), exiftool's value counts as absent too.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from photos_dev.arguments import whole
from photos_dev.problem import Problem, exit_with

BATCH = 100  # photos in one call of exiftool and of the facts program

# Name in the facts -> name in the report, and exiftool's tag. The order is that of the report.
FIELDS = {
    "takenAt": ("takenAt", "DateTimeOriginal"),
    "location.latitude": ("latitude", "GPSLatitude"),
    "location.longitude": ("longitude", "GPSLongitude"),
    "location.altitude": ("altitude", "GPSAltitude"),
    "camera.make": ("make", "Make"),
    "camera.model": ("model", "Model"),
    "camera.lens": ("lens", "LensModel"),
    "camera.software": ("software", "Software"),
    "exposure.time": ("time", "ExposureTime"),
    "exposure.seconds": ("seconds", "ExposureTime"),
    "exposure.fNumber": ("fNumber", "FNumber"),
    "exposure.iso": ("iso", "ISO"),
    "exposure.focalLength": ("focalLength", "FocalLength"),
    "exposure.focalLength35": ("focalLength35", "FocalLengthIn35mmFormat"),
    "exposure.flash": ("flash", "Flash"),
    "orientation": ("orientation", "Orientation"),
}
NAMES = [name for name, _ in FIELDS.values()]
COORDINATES = ("latitude", "longitude")
TEXTS = ("takenAt", "make", "model", "lens", "software", "time", "flash")
GROUPS = ("IFD0", "ExifIFD", "GPS", "InteropIFD")
# Groups of other metadata, and the tags that exiftool is asked for.
OTHER_GROUPS = ("XMP-exif", "XMP-exifEX", "XMP-photoshop", "XMP-xmp", "XMP-aux")
OTHER_TAGS = (
    "-XMP-exif:all", "-XMP-exifEX:LensModel", "-XMP-photoshop:DateCreated", "-XMP-xmp:CreateDate", "-XMP-aux:Lens",
    "-IPTC:DateCreated", "-IPTC:TimeCreated", "-PNG:CreationTime",
)  # fmt: skip

# EXIF's own name -> exiftool's, in lower case, where they differ.
ALIASES = {
    "bodyserialnumber": "serialnumber",
    "cameraownername": "ownername",
    "datetime": "modifydate",
    "datetimedigitized": "createdate",
    "exposurebiasvalue": "exposurecompensation",
    "imagelength": "imageheight",
    "relatedimagelength": "relatedimageheight",
    "interoperabilityindex": "interopindex",
    "interoperabilityversion": "interopversion",
    "lensspecification": "lensinfo",
    "newsubfiletype": "subfiletype",
    "oecf": "opto-electricconvfactor",
    "pixelxdimension": "exifimagewidth",
    "pixelydimension": "exifimageheight",
    "sourceexposuretimesofcompositeimage": "compositeimageexposuretimes",
    "sourceimagenumberofcompositeimage": "compositeimagecount",
    "subfiletype": "oldsubfiletype",
    "temperature": "ambienttemperature",
}
# exiftool's names of tags that are fields of their own, and of offsets, which are not facts.
NO_EXIF_NAMES = frozenset(
    """datetimeoriginal subsectimeoriginal offsettimeoriginal gpslatitude gpslatituderef gpslongitude
    gpslongituderef gpsaltitude gpsaltituderef make model lensmodel software exposuretime fnumber iso
    focallength focallengthin35mmformat orientation stripoffsets stripbytecounts tileoffsets tilebytecounts
    thumbnailoffset thumbnaillength""".split()
)

# Raw files begin as TIFF files do.
RAW_NAMES = tuple(
    """.3fr .arw .cr2 .dcr .dng .erf .fff .gpr .iiq .k25 .kdc .mef .mos .nef .nrw .orf .pef .raw .rw2 .rwl
    .sr2 .srf .srw""".split()
)
BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares facts of photos with exiftool's.")
    parser.add_argument("--differences", type=whole(0), default=20, metavar="N", help="shown per field (default: 20)")
    parser.add_argument("--known", type=Path, metavar="FILE", help="accepted differences, one a line: path, tab, field")
    parser.add_argument("program", type=Path, metavar="FACTS_PROGRAM", help="the built photo/examples/facts.rs")
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="folder of photos")
    options = parser.parse_args()
    require_exiftool()
    known = known_differences(options.known)
    report = Report()
    photos = [photo for folder in options.folders for photo in photos_below(folder)]
    compare_all(photos, options.program, report)
    return report.show(options.differences, known)


def require_exiftool() -> None:
    if not shutil.which("exiftool"):
        raise Problem("exiftool is missing: apt-get install libimage-exiftool-perl")


def compare_all(photos: list[Photo], program: Path, report: Report) -> None:
    for number in range(0, len(photos), BATCH):
        say(f"\r{number} of {len(photos)} photos")
        compare_batch(photos[number : number + BATCH], program, report)
    say(f"\r{len(photos)} of {len(photos)} photos\n")


def say(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


def known_differences(file: Path | None) -> set[tuple[str, str]]:
    """Path and field of each accepted difference. Text after a second tab is a comment."""
    if file is None:
        return set()
    try:
        lines = [line.split("\t") for line in file.read_text().splitlines() if line.strip()]
    except OSError as error:
        raise Problem(f"cannot read {file}: {error.strerror}") from None
    for line in lines:
        if len(line) < 2:
            raise Problem(f"{file}: this line is not a path, a tab and a field: {line[0]}")
    return {(line[0], line[1].strip()) for line in lines}


@dataclass(frozen=True)
class Photo:
    path: Path
    name: str  # in the report: the path below its DIR


def photos_below(folder: Path) -> list[Photo]:
    """The photos below a folder, without hidden files and folders."""
    folder = folder.resolve()
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    shown = [name for name in names if not any(part.startswith(".") for part in name.parts)]
    photos = [Photo(folder / name, str(name)) for name in shown if is_photo(folder / name)]
    if not photos:
        raise Problem(f"no photos below {folder}: name a folder of photos")
    return photos


def is_photo(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError:
        return False
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return path.suffix.lower() not in RAW_NAMES
    return (
        start.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\xff\x0a", b"\0\0\0\x0cJXL "))
        or (start[:4] == b"RIFF" and start[8:] == b"WEBP")
        or (start[4:8] == b"ftyp" and start[8:] in BRANDS)
    )


def compare_batch(photos: list[Photo], program: Path, report: Report) -> None:
    paths = [str(photo.path) for photo in photos]
    facts = {line["file"]: line for line in facts_of(program, paths)}
    tags = tags_of(paths, "-n", "-EXIF:all", *OTHER_TAGS)
    printed = tags_of(paths, "-EXIF:ExposureTime")
    for photo in photos:
        path = str(photo.path)
        ours, theirs = facts.get(path, {}), tags.get(path, Tags(complaints=["no output"]))
        if "facts" not in ours:
            report.not_compared[f"this crate: {ours.get('error', 'no output')}"].append(photo.name)
        elif ours["facts"] and not theirs.values and theirs.complaints:
            report.not_compared[f"exiftool: {theirs.complaints[0]}"].append(photo.name)
        else:
            report.photos += 1
            expected = expected_fields(theirs, printed.get(path, Tags()))
            compare(photo.name, expected, our_fields(ours["facts"]), theirs.repeated, report)
            compare_names(theirs, ours["facts"], report)


def facts_of(program: Path, paths: list[str]) -> Iterator[dict[str, Any]]:
    try:
        result = subprocess.run([program, *paths], capture_output=True)
    except OSError as error:
        raise Problem(f"cannot run {program}: {error.strerror}") from None
    if result.returncode != 0:
        complaint = result.stderr.decode(errors="replace").strip()
        raise Problem(f"{program} failed ({result.returncode}): {complaint[-500:]}")
    return map(as_texts, result.stdout.splitlines())


def as_texts(document: bytes) -> Any:
    """JSON with its numbers as text: exiftool writes every text that looks like a number as a number."""
    return json.loads(document, parse_float=str, parse_int=str, strict=False)


@dataclass
class Tags:
    """exiftool's values of a photo's tags, in its order."""

    values: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    complaints: list[str] = field(default_factory=list)

    def text(self, group: str, tag: str) -> str | None:
        """The tag's first value in its own group; for a tag of EXIF, else the first in any EXIF group. None if it
        is blank."""
        found = self.values.get((group, tag)) or [
            value
            for (other, name), values in self.values.items()
            if name == tag and group in GROUPS and other in GROUPS
            for value in values
        ]
        return (plain(found[0]) or None) if found else None

    def number(self, group: str, tag: str) -> float | None:
        """The tag's first number; None for "inf" and "undef", as exiftool shows x/0 and 0/0."""
        try:
            number = float((self.text(group, tag) or "").split()[0])
        except (IndexError, ValueError):
            return None
        return number if math.isfinite(number) else None

    @property
    def repeated(self) -> set[str]:
        own = ((tag, values) for (group, tag), values in self.values.items() if group in GROUPS)
        counts = Counter(tag for tag, values in own for _ in values)
        return {tag for tag, count in counts.items() if count > 1}


def tags_of(paths: list[str], *what: str) -> dict[str, Tags]:
    """The tags of each photo. -a and group 4, the copy's number, keep tags that occur several times."""
    command = ["exiftool", "-q", "-q", "-json", "-G0:1:4", "-a", *what, "-Error", "-Warning", "--", *paths]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    photos = as_texts(result.stdout) if result.stdout.strip() else []
    return {photo.pop("SourceFile"): tags_from(photo) for photo in photos}


def tags_from(photo: dict[str, Any]) -> Tags:
    tags = Tags()
    for key, value in photo.items():
        match key.split(":"):
            case ["EXIF", group, *_, tag] if group in GROUPS:  # a copy's number may be between them
                tags.values[group, tag].append(str(value))
            case ["XMP", group, *_, tag] if group in OTHER_GROUPS:
                tags.values[group, tag].append(str(value))
            case ["IPTC" | "PNG" as group, *_, tag]:
                tags.values[group, tag].append(str(value))
            case ["ExifTool", *_, "Error" | "Warning"] if not str(value).startswith("[minor]"):
                tags.complaints.append(str(value))
    return tags


def plain(text: str) -> str:
    """A text without padding and control characters, which each program shows differently."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()


# The fields, computed from exiftool's tags.

Value = str | float
Fields = dict[str, Value]


def expected_fields(tags: Tags, printed: Tags) -> Fields:
    seconds = positive(tags.number("ExifIFD", "ExposureTime"))
    flash = tags.number("ExifIFD", "Flash")
    fields = {
        "takenAt": taken_at(tags),
        **place(tags),
        "make": tags.text("IFD0", "Make"),
        "model": tags.text("IFD0", "Model"),
        "lens": tags.text("ExifIFD", "LensModel")
        or tags.text("XMP-exifEX", "LensModel")
        or tags.text("XMP-aux", "Lens"),
        "software": tags.text("IFD0", "Software"),
        "time": printed.text("ExifIFD", "ExposureTime") if seconds else None,
        "seconds": seconds,
        "fNumber": positive(tags.number("ExifIFD", "FNumber")),
        "iso": iso(tags),
        "focalLength": positive(tags.number("ExifIFD", "FocalLength")),
        "focalLength35": positive(tags.number("ExifIFD", "FocalLengthIn35mmFormat")),
        "flash": None if flash is None else str(bool(int(flash) & 1)).lower(),
        "orientation": own_number(tags, "IFD0", "Orientation"),
    }
    return {name: value for name, value in fields.items() if value is not None}


def own_number(tags: Tags, group: str, tag: str) -> float | None:
    """The tag's number in its own group only."""
    return tags.number(group, tag) if (group, tag) in tags.values else None


def positive(number: float | None) -> float | None:
    return number if number and number > 0 else None


def iso(tags: Tags) -> float | None:
    """65535 means that the value did not fit there (photo/src/metadata/exif/exposure.rs)."""
    for tag in ("ISO", "ISOSpeed", "RecommendedExposureIndex", "StandardOutputSensitivity"):
        value = positive(tags.number("ExifIFD", tag))
        if value and (tag, value) != ("ISO", 65535):
            return value
    return None


# Sources of a time, the most trusted first (photo/src/metadata/facts.rs): group and tag, then the tags of the
# fraction and of the offset. In IPTC and GPS, the time of day has a tag of its own.
SOURCES = (
    ("ExifIFD", "DateTimeOriginal", "SubSecTimeOriginal", "OffsetTimeOriginal"),
    ("ExifIFD", "CreateDate", "SubSecTimeDigitized", "OffsetTimeDigitized"),
    ("XMP-exif", "DateTimeOriginal", None, None),
    ("XMP-photoshop", "DateCreated", None, None),
    ("XMP-exif", "DateTimeDigitized", None, None),
    ("XMP-xmp", "CreateDate", None, None),
    ("IPTC", "DateCreated", None, None),
    ("PNG", "CreationTime", None, None),
    ("GPS", "GPSDateStamp", None, None),
    ("XMP-exif", "GPSDateTime", None, None),
    ("IFD0", "ModifyDate", "SubSecTime", None),
)
TIMES_OF_DAY = {"IPTC": "TimeCreated", "GPS": "GPSTimeStamp"}
XMP_DATES = [source for source in SOURCES if source[0].startswith("XMP") and source[1] != "GPSDateTime"]
NEVER_SET = ("1601-01-01T00:00:00", "1899-12-30T00:00:00", "1904-01-01T00:00:00", "1980-01-01", "1980-01-06",
             "2000-01-01T00:00:00", "2002-12-08T12:00:00")  # fmt: skip
DATE = re.compile(
    r"(\d{4})(?!\d)(?:\D(\d\d?))?(?:\D(\d\d?))?"
    r"(?:\D+(\d\d?)(?P<between>\D)(\d\d)(?:(?P=between)(\d\d))?(?:[.,](\d+))?\s*([ap]m)?"
    r"\s*(?:(?:GMT|UTC)(?=[+-]))?(Z|[+-]\d\d?:?\d\d)?)?",
    re.IGNORECASE,
)
# As C's strftime writes it in English, which exiftool leaves in PNG's Creation Time.
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DATE_OF_WORDS = re.compile(r"(?:[a-z]{3},? )?(\d\d?) ([a-z]{3})[a-z]* (\d{4})(.*)", re.IGNORECASE)


def in_numbers(text: str) -> str:
    """A date of 8 digits or with the name of its month in the form of EXIF; any other as it is."""
    if words := DATE_OF_WORDS.fullmatch(text):
        day, month, year, rest = words.groups()
        if month.lower() in MONTHS:
            return f"{year}:{MONTHS.index(month.lower()) + 1}:{day}{rest}"
    return re.sub(r"^(\d{4})(\d\d)(\d\d)(?!\d)", r"\1:\2:\3", text)


def taken_at(tags: Tags) -> str | None:
    """The time when the photo was taken, in ISO 8601."""
    found = [time for source in SOURCES if (time := time_of(tags, *source))]
    for wall_clock, rest in sorted(found, key=lambda time: is_never_set(time[0])):
        if rest and re.search(r"[Z+-]", rest):
            return wall_clock + rest
        for source in XMP_DATES:  # one of which may have the offset
            same = time_of(tags, *source)
            if same and same[0] == wall_clock and (zone := re.search(r"[+-].*", same[1])):
                return wall_clock + rest + zone[0]
        return wall_clock + rest
    return None


def time_of(tags: Tags, group: str, tag: str, fraction_tag: str | None, offset_tag: str | None) -> Any:
    """The wall clock of a source, and its fraction and offset."""
    text = tags.text(group, tag) or ""
    if group in TIMES_OF_DAY:
        time = tags.text(group, TIMES_OF_DAY[group])
        if group == "GPS" and not time:
            return None
        text = f"{text} {time or ''}"
    parts = DATE.match(in_numbers(text.strip()))
    if not parts:
        return None
    year, month, day, hour, _, minute, second, fraction, half, zone = parts.groups()
    hours = int(hour or 0) % 24
    if half:
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    try:
        date = datetime(int(year), int(month or 0) or 1, int(day or 0) or 1, hours, int(minute or 0))
        if int(second or 0) > 60 or int(hour or 0) > 24 or date.year == 9999:  # in UTC, its year may have five digits
            return None
        date += timedelta(seconds=int(second or 0))
    except ValueError:
        return None
    if group == "GPS" or tag == "GPSDateTime":
        return date.isoformat(), "Z"
    own = (fraction_tag and tags.text(group, fraction_tag)) or ""
    fraction = own if re.fullmatch(r"[0-9]+", own) and hour else fraction
    if re.fullmatch(r"-0?0:?00", zone or ""):  # which says that it is not known (RFC 3339 clause 4.3)
        zone = None
    zone = offset((offset_tag and tags.text(group, offset_tag)) or "") or offset(zone or "")
    if group == "IPTC" and zone == "+00:00":
        zone = ""
    return date.isoformat(), (f".{fraction[:9]}" if fraction else "") + zone


def is_never_set(wall_clock: str) -> bool:
    since_zero = datetime.fromisoformat(wall_clock) - datetime(1970, 1, 1)
    is_of_unix = timedelta(hours=-12) <= since_zero <= timedelta(hours=14) and since_zero.seconds % 3600 == 0
    return is_of_unix or wall_clock.startswith(NEVER_SET)


def offset(text: str) -> str:
    parts = re.fullmatch(r"([+-])(\d\d?):?(\d\d)", "+00:00" if text.upper() == "Z" else text)
    if not parts:
        return ""
    sign, hours, minutes = parts.groups()
    total = int(f"{sign}{int(hours) * 60 + int(minutes)}")
    return f"{sign}{hours:0>2}:{minutes}" if -12 * 60 <= total <= 14 * 60 and int(minutes) < 60 else ""


def place(tags: Tags) -> dict[str, float | None]:
    """The location. A void one counts as absent, although the crate may keep it after comparing times."""
    for group in ("GPS", "XMP-exif"):
        latitude = coordinate(tags, group, "GPSLatitude", "NS", 90)
        longitude = coordinate(tags, group, "GPSLongitude", "EW", 180)
        if latitude is None or longitude is None or latitude == longitude == 0:
            continue
        if (tags.text(group, "GPSStatus") or "").upper() == "V":
            return {}
        altitude = tags.number(group, "GPSAltitude")
        if altitude is not None and tags.number(group, "GPSAltitudeRef") in (1, 3):
            altitude = -abs(altitude)
        return {"latitude": latitude, "longitude": longitude, "altitude": altitude}
    return {}


def coordinate(tags: Tags, group: str, tag: str, directions: str, limit: float) -> float | None:
    degrees = tags.number(group, tag)
    if group.startswith("XMP"):  # for which exiftool gives signed degrees
        return degrees if degrees is not None and abs(degrees) <= limit else None
    direction = (tags.text(group, f"{tag}Ref") or "").upper()[:1]
    if degrees is None or abs(degrees) > limit or not direction or direction not in directions:
        return None
    return degrees if direction == directions[0] else -degrees


def our_fields(facts: dict[str, Any]) -> Fields:
    fields: Fields = {}
    for path, (name, _) in FIELDS.items():
        value: Any = facts
        for key in path.split("."):
            value = value.get(key) if value else None
        if value is not None:
            fields[name] = as_text(value) if name in TEXTS else float(value)
    taken = facts.get("taken", {})
    if taken.get("offsetSource") == "Gps" != taken["source"]:  # exiftool does not infer it
        fields["takenAt"] = re.sub(r"[+-]\d\d:\d\d$", "", str(fields["takenAt"]))
    return fields


def as_text(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value


# The comparison.

EQUAL, ONLY_EXIFTOOL, ONLY_WE, DIFFER, ENCODING = "equal", "only exiftool", "only we", "differ", "encoding"
COUNTS = (EQUAL, ONLY_EXIFTOOL, ONLY_WE, DIFFER, ENCODING)


@dataclass(frozen=True)
class Difference:
    photo: str
    field: str
    theirs: Value | None
    ours: Value | None
    repeated: bool

    def __str__(self) -> str:
        note = "  (exiftool has several values)" if self.repeated else ""
        return f"{self.photo}  {self.field}  exiftool {shown(self.theirs)}  ours {shown(self.ours)}{note}"


def shown(value: Value | None) -> str:
    if value is None:
        return "-"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else f"{value:.10g}"


def compare(photo: str, theirs: Fields, ours: Fields, repeated: set[str], report: Report) -> None:
    for name, tag in FIELDS.values():
        if name not in theirs and name not in ours:
            continue
        result = verdict(name, theirs.get(name), ours.get(name))
        report.counts[name][result] += 1
        several = tag in repeated
        report.repeated[name] += int(several)
        if result not in (EQUAL, ENCODING):
            report.differences.append(Difference(photo, name, theirs.get(name), ours.get(name), several))


def verdict(name: str, theirs: Value | None, ours: Value | None) -> str:
    if theirs is None or ours is None:
        return ONLY_EXIFTOOL if ours is None else ONLY_WE
    if isinstance(theirs, str) or isinstance(ours, str):
        return texts_verdict(str(theirs), plain(str(ours)))
    tolerance = {"abs_tol": 1e-6, "rel_tol": 0.0} if name in COORDINATES else {"rel_tol": 1e-5}
    return EQUAL if math.isclose(theirs, ours, **tolerance) else DIFFER


def texts_verdict(theirs: str, ours: str) -> str:
    cut = ours.endswith("…") and theirs.startswith(ours[:-1])
    if theirs == ours or cut:
        return EQUAL
    # exiftool replaces each byte that is not UTF-8 by a question mark.
    pattern = r"[^\x00-\x7f]+".join(re.escape(part) for part in re.split(r"\?+", theirs))
    return ENCODING if "\ufffd" in ours or re.fullmatch(pattern, ours) else DIFFER


def compare_names(tags: Tags, facts: dict[str, Any], report: Report) -> None:
    ours = {ALIASES.get(name.lower(), name.lower()) for name in facts.get("exif", {})}
    own = ((tag, values) for (group, tag), values in tags.values.items() if group in GROUPS)
    theirs = {tag.lower() for tag, values in own if any(map(plain, values))}
    report.names_both.update(ours & theirs)
    report.names_ours.update(ours - theirs)
    report.names_theirs.update(theirs - ours - NO_EXIF_NAMES)


@dataclass
class Report:
    photos: int = 0
    not_compared: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    repeated: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    names_both: Counter[str] = field(default_factory=Counter)
    names_ours: Counter[str] = field(default_factory=Counter)
    names_theirs: Counter[str] = field(default_factory=Counter)

    def show(self, limit: int, known: set[tuple[str, str]]) -> int:
        """Prints the report; returns the exit code."""
        self.show_table()
        new = [one for one in self.differences if (one.photo, one.field) not in known]
        show_differences(new, limit)
        self.show_names()
        for why, names in self.not_compared.items():
            print(f"{len(names)} photos not compared, {why} ({names[0]}{', ...' if len(names) > 1 else ''})")
        print(f"{self.photos} photos  {sum(map(Counter.total, self.counts.values()))} values  "
              f"{len(new)} new differences  {len(self.differences) - len(new)} known ones")
        return 1 if new else 0

    def show_table(self) -> None:
        columns = "".join(f"{name:>15}" for name in COUNTS)
        print(f"{'field':14}{'compared':>10}{columns}{'several':>10}")
        for name in NAMES:
            counts = self.counts[name]
            cells = "".join(f"{counts[column]:>15}" for column in COUNTS)
            print(f"{name:14}{counts.total():>10}{cells}{self.repeated[name]:>10}")
        print()

    def show_names(self) -> None:
        print(f"names of other tags: {self.names_both.total()} in both")
        for who, names in (("exiftool", self.names_theirs), ("this crate", self.names_ours)):
            most = ", ".join(f"{name} {count}" for name, count in names.most_common(12))
            print(f"  {names.total()} only in {who}{f': {most}' if most else ''}")
        print()


def show_differences(differences: Iterable[Difference], limit: int) -> None:
    by_field: dict[str, list[Difference]] = defaultdict(list)
    for one in differences:
        by_field[one.field].append(one)
    for name in filter(by_field.get, NAMES):
        for one in by_field[name][:limit]:
            print(one)
        left = len(by_field[name]) - limit
        if left > 0:
            print(f"... and {left} more of {name}")
    if by_field:
        print()


if __name__ == "__main__":
    exit_with(main)
