"""What `make bench-heic` says of the programs that it compares."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from photos_dev.benches.load import photos
from photos_dev.benches.peers import heic
from photos_dev.benches.peers.run import Way

SCORES = {"bytes": 200_000.0, "psnr": 40.0, "ssim": 0.98, "ssimulacra2": 85.0}


def compared(photo: Path, scores: dict[str, dict[str, float]], spread: float = 0.0) -> heic.Compared:
    ways = [
        Way("libheif", "libheif", "libheif", [], "decoding alone", cpu_ms=[100.0], wall_ms=[100.0]),
        Way("best", "this crate", "rust", [], "as it is", cpu_ms=[120.0], wall_ms=[121.0], scores=scores),
        Way("sharp", "sharp", "sharp", [], "as it is", missing="it ended with code 1: no decoder"),
    ]
    return heic.Compared(photo, 3, ways, spread)


class Report(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.photo = Path(directory.name, "4032x3024.heic")
        self.photo.write_bytes(bytes(1_900_000))

    def lines(self, spread: float = 0.0) -> list[str]:
        phone = compared(self.photo, {self.photo.name: SCORES})
        return list(heic.lines(phone, compared(self.photo, {}, spread)))

    def test_the_unit_of_cpu_time_is_libheifs(self) -> None:
        rows = [line for line in self.lines() if line.startswith("| **this crate**")]
        self.assertEqual([row.split("|")[2].strip() for row in rows], ["1.20", "1.20"])

    def test_what_reads_no_heic_has_no_row_but_is_told_of_in_its_own_words(self) -> None:
        lines = self.lines()
        self.assertFalse([line for line in lines if line.startswith("| sharp")])
        self.assertIn("- sharp makes no thumbnail: it ended with code 1: no decoder.", lines)

    def test_scores_stand_only_where_thumbnails_were_scored(self) -> None:
        phone, large = (line for line in self.lines() if line.startswith("| **this crate**"))
        self.assertTrue(phone.endswith("| 200000 | 40.00 | 0.9800 | 85.00 |"))
        self.assertEqual(large.count("|"), 6)

    def test_a_busy_machine_is_told_of(self) -> None:
        self.assertFalse([line for line in self.lines() if "not quiet" in line])
        self.assertTrue([line for line in self.lines(0.2) if "not quiet" in line])


class Sides(unittest.TestCase):
    def test_a_heics_thumbnail_has_a_quarter_of_its_sides(self) -> None:
        size = (4032).to_bytes(4, "big") + (3023).to_bytes(4, "big")
        heic_file = b"\0\0\0\x10ftypheic" + bytes(20) + b"ispe" + bytes(4) + size
        self.assertEqual(photos.thumbnail_size(heic_file), [756, 1008])


if __name__ == "__main__":
    unittest.main()
