"""What `make heic-check` says of a photo, and when it fails."""

from __future__ import annotations

import re
import tempfile
import unittest
from pathlib import Path
from typing import Any

from photos_dev import heic_check
from photos_dev.heic_check import DIFFERS, EQUAL, NEITHER, ONLY_WE, REASON, REFUSED, judge
from photos_dev.paths import ROOT
from photos_dev.problem import Problem

OURS = {"scale": 0.25, "memoryMb": 12.5}
LIBHEIF = {"width": 4032, "height": 3024, "bits": 8, "isHdr": False, "mean": 0.5, "most": 3}
LIBHEIF_REFUSES = {"refused": "Invalid input"}


def refused(message: str) -> dict[str, Any]:
    return {"refused": "UnsupportedFormat", "message": message}


class Verdicts(unittest.TestCase):
    def test_a_thumbnail_within_the_level_is_equal_and_one_above_it_is_not(self) -> None:
        for mean, expected in ((0.0, EQUAL), (2.0, EQUAL), (2.01, DIFFERS)):
            line = judge("a.heic", OURS, LIBHEIF | {"mean": mean}, 2.0)
            self.assertEqual(line.verdict, expected)
            self.assertIn(f"mean {mean:.2f}", line.text)

    def test_what_libheif_decodes_is_not_refused_but_for_a_reason(self) -> None:
        line = judge("a.heic", refused("a HEIC of the coding iovl is not supported"), LIBHEIF, 2.0)
        self.assertEqual((line.verdict, line.reason), (REASON, "overlays"))
        line = judge("a.heic", {"refused": "CorruptPhoto", "message": "the photo is damaged"}, LIBHEIF, 2.0)
        self.assertEqual(line.verdict, REFUSED)
        line = judge("a.heic", {"refused": "Crash", "message": "ended with code -11"}, LIBHEIF, 2.0)
        self.assertEqual(line.verdict, REFUSED)

    def test_another_size_differs_and_high_dynamic_range_may(self) -> None:
        other = {name: LIBHEIF[name] for name in ("width", "height", "bits", "isHdr")} | {"problem": "10x20 pixels"}
        self.assertEqual(judge("a.heic", OURS, other, 2.0).verdict, DIFFERS)
        line = judge("a.heic", OURS, LIBHEIF | {"mean": 50.0, "isHdr": True}, 2.0)
        self.assertEqual((line.verdict, line.reason), (REASON, heic_check.HIGH_DYNAMIC_RANGE))

    def test_what_libheif_refuses_is_no_failure(self) -> None:
        self.assertEqual(judge("a.heic", OURS, LIBHEIF_REFUSES, 2.0).verdict, ONLY_WE)
        self.assertEqual(judge("a.heic", refused("AVIF is not supported"), LIBHEIF_REFUSES, 2.0).verdict, NEITHER)

    def test_the_summary_counts_every_photo_and_names_what_is_not_explained(self) -> None:
        lines = [
            judge("good.heic", OURS, LIBHEIF, 2.0),
            judge("bad.heic", OURS, LIBHEIF | {"mean": 9.0}, 2.0),
            judge("overlay.heic", refused("of the coding iovl"), LIBHEIF, 2.0),
            judge("avif.heic", refused("AVIF"), LIBHEIF_REFUSES, 2.0),
        ]
        text = "\n".join(heic_check.summary(lines, 2.0))
        self.assertEqual(sum(int(count) for count in re.findall(r"(?m)^ {0,5}(\d+)  (?!HEICs)", text)), len(lines))
        self.assertRegex(text, r"not explained:\n  bad\.heic ")
        self.assertIn("1  overlays", text)

    def test_the_reasons_are_what_the_crate_says(self) -> None:
        folders = (ROOT / "photo/src/decode/heif", ROOT / "photo/src/container/heif")
        sources = "".join(path.read_text() for folder in folders for path in folder.glob("*.rs"))
        said = [reason for reason in heic_check.REASONS if reason != "P and B slices"]  # which the decoder says
        for reason in said:
            words = reason.removesuffix(" iovl")  # the coding is a value
            self.assertTrue(re.search(words, sources), f"no message has {words}")


class Photos(unittest.TestCase):
    def test_a_folder_without_heics_is_told_of(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "a.jpg").touch()
            with self.assertRaisesRegex(Problem, "no HEICs below"):
                heic_check.photos_below(Path(folder))
            for name in ("b.HEIC", "c.heif", "d.HIF"):
                Path(folder, name).touch()
            names = [photo.name for photo in heic_check.photos_below(Path(folder))]
            self.assertEqual(names, ["b.HEIC", "c.heif", "d.HIF"])
            with self.assertRaisesRegex(Problem, "there is no folder"):
                heic_check.photos_below(Path(folder, "e"))


if __name__ == "__main__":
    unittest.main()
