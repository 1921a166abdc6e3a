"""JPEG, written by libjpeg-turbo's `cjpeg`; further segments are added here."""

from __future__ import annotations

import io
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image

from . import profile
from .colour import rgb_to_cmyk
from .photo import LARGE, MEDIUM, Photo, as_decoded, exif, gray_picture, picture, quantised, stored

APP1, APP2 = 0xE1, 0xE2
SCANS = Path(__file__).with_name("scans.txt")
OPTIONS = {
    "420": "-sample 2x2",
    "422": "-sample 2x1",
    "444": "-sample 1x1",
    "440": "-sample 1x2",
    "411": "-sample 4x1",
    "unusual-sampling": "-sample 2x2,1x2,2x1",
    "gray": "-grayscale",
    "gray-sampled-2x2": "-grayscale -sample 2x2",
    "progressive": "-progressive",
    "progressive-gray": "-progressive -grayscale",
    "one-component-a-scan": f"-scans {SCANS}",
    "restart-markers": "-restart 3B",
    "arithmetic": "-arithmetic",
    "arithmetic-progressive": "-arithmetic -progressive",
    "rgb": "-rgb",
}
GAIN_MAP_XMP = """\
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description hdrgm:Version="1.0"
    xmlns:Container="http://ns.google.com/photos/1.0/container/"
    xmlns:Item="http://ns.google.com/photos/1.0/container/item/"
    xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/">
   <Container:Directory><rdf:Seq>
    <rdf:li rdf:parseType="Resource">
     <Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/>
    </rdf:li>
    <rdf:li rdf:parseType="Resource">
     <Container:Item Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="{length}"/>
    </rdf:li>
   </rdf:Seq></Container:Directory>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>"""


def photos() -> Iterator[Photo]:
    colours = quantised(picture(LARGE))
    grays = quantised(gray_picture(MEDIUM))
    plain = cjpeg(colours)

    for kind, options in OPTIONS.items():
        yield as_decoded(f"jpeg-{kind}.jpg", cjpeg(colours, options))
    for sides, pixels in {
        "1-wide": colours[:, :1],
        "1-high": colours[:1],
        "1-by-1": colours[:1, :1],
    }.items():
        yield as_decoded(f"jpeg-{sides}.jpg", cjpeg(pixels))
    for orientation in range(1, 10):
        yield turned(colours, orientation)

    yield as_decoded("jpeg-display-p3.jpg", with_profile(plain, profile.display_p3()))
    yield as_decoded(
        "jpeg-profile-in-three-segments.jpg", with_profile(plain, profile.display_p3(), parts=3)
    )
    yield as_decoded("jpeg-gray-profile.jpg", with_profile(cjpeg(grays), profile.gray()))
    yield as_decoded("jpeg-cmyk.jpg", cmyk_jpeg("CMYK"))
    yield as_decoded("jpeg-cmyk-profile.jpg", with_profile(cmyk_jpeg("CMYK"), profile.cmyk(16)))
    yield as_decoded("jpeg-ycck.jpg", cmyk_jpeg("YCCK"))
    yield as_decoded("jpeg-ycck-profile.jpg", with_profile(cmyk_jpeg("YCCK"), profile.cmyk(8)))

    yield as_decoded("jpeg-second-picture-behind.jpg", multi_picture(colours))
    yield as_decoded("jpeg-gain-map-behind.jpg", with_gain_map(plain, cjpeg(255 - grays)))
    yield as_decoded("jpeg-named-png.png", plain)


def cjpeg(pixels: np.ndarray, options: str = "") -> bytes:
    height, width = pixels.shape[:2]
    header = f"P{6 if pixels.ndim == 3 else 5}\n{width} {height}\n255\n"
    command = ["cjpeg", "-quality", "90", *options.split()]
    return subprocess.run(
        command, input=header.encode() + pixels.tobytes(), stdout=subprocess.PIPE, check=True
    ).stdout


def turned(pixels: np.ndarray, orientation: int) -> Photo:
    """EXIF in either byte order. 9 is not an orientation, and so counts as none."""
    fields = exif(orientation, "<>"[orientation % 2])
    data = with_segment(cjpeg(stored(pixels, orientation)), APP1, b"Exif\0\0" + fields)
    return as_decoded(f"jpeg-orientation-{orientation}.jpg", data, orientation)


def cmyk_jpeg(coded_as: str) -> bytes:
    """CMYK as Adobe writes it: 0 is full ink, and an APP14 segment says how the inks are coded."""
    inks = 255 - quantised(rgb_to_cmyk(picture(MEDIUM)))
    return imagecodecs.jpeg8_encode(inks, 90, colorspace="CMYK", outcolorspace=coded_as)


def with_profile(jpeg: bytes, icc: bytes, parts: int = 1) -> bytes:
    length = -(-len(icc) // parts)
    # each segment is inserted before the previous one
    for number in range(parts, 0, -1):
        part = icc[(number - 1) * length : number * length]
        jpeg = with_segment(jpeg, APP2, b"ICC_PROFILE\0" + bytes([number, parts]) + part)
    return jpeg


def with_segment(jpeg: bytes, marker: int, payload: bytes) -> bytes:
    """Inserts segments after JFIF's, which must be the first."""
    start = 2
    if jpeg[2:4] == b"\xff\xe0":
        start = 4 + int.from_bytes(jpeg[4:6], "big")
    return (
        jpeg[:start] + struct.pack(">BBH", 0xFF, marker, 2 + len(payload)) + payload + jpeg[start:]
    )


def multi_picture(pixels: np.ndarray) -> bytes:
    """Two pictures (CIPA DC-007): an APP2 segment gives the offset of the second, after the end of the first."""
    file = io.BytesIO()
    second = Image.fromarray(255 - pixels)
    Image.fromarray(pixels).save(file, "MPO", save_all=True, append_images=[second], quality=90)
    return file.getvalue()


def with_gain_map(jpeg: bytes, gain_map: bytes) -> bytes:
    """https://developer.android.com/media/platform/hdr-image-format"""
    xmp = GAIN_MAP_XMP.format(length=len(gain_map)).encode()
    return with_segment(jpeg, APP1, b"http://ns.adobe.com/xap/1.0/\0" + xmp) + gain_map
