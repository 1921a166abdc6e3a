"""Whether figures that people have copied into pages are those of the pages that the commands wrote.

    .venv-ops/bin/python -m unittest discover --start-directory tests/docs
"""

from __future__ import annotations

import re
import unittest

from test_docs import README, ROOT, page, rows_with

PERFORMANCE = page("performance.md")
# Titles of docs/performance.md, and of `make cost`.
JOBS = {
    "the thumbnail alone": "the thumbnail alone",
    "thumbnail, fit=1600 and fit=400, all JPEG": "thumbnail, fit=1600 and fit=400, all JPEG",
    "three JPEGs": "thumbnail, fit=1600 and fit=400, all JPEG",
    "thumbnail as JPEG, fit=1600 and fit=400 as WebP": "thumbnail as JPEG, fit=1600 and fit=400 as WebP",
    "with two WebPs": "thumbnail as JPEG, fit=1600 and fit=400 as WebP",
    "half of the photos HEIC": "the thumbnail alone, half HEIC",
}


def section(title: str) -> str:
    """A section of docs/cost.md."""
    is_it = re.compile(rf"{re.escape(title)}(?: {{2}}|:|, for|$)", re.MULTILINE)
    (text,) = filter(is_it.match, re.split(r"(?m)^=== ", page("cost.md")))
    return text


def cost(title: str) -> dict[str, list[str]]:
    """The first line of each name in a section, by its name: the cells of each."""
    lines = [re.split(r" {2,}", line.strip()) for line in section(title).splitlines()[1:] if line.strip()]
    found: dict[str, list[str]] = {}
    for name, *cells in lines:
        found.setdefault(name, cells)
    return found


def of_size(title: str, memory: str) -> list[str]:
    """Milliseconds and dollars of each function, with published waits and with those of the guide; none where the
    photos do not fit."""
    cells = cost(title)[memory]
    return [part for cell in cells for part in (["", ""] if cell == "does not fit" else [cell])]


class Copied(unittest.TestCase):
    def assert_copied(self, copied: list[dict[str, str]], written: list[dict[str, str]]) -> None:
        self.assertTrue(copied)
        for row in copied:
            plain = {name: value.strip("*") for name, value in row.items()}
            matches = [{name: one[name].strip("*") for name in row} for one in written if set(row) <= set(one)]
            self.assertIn(plain, matches)

    def test_of_waiting(self) -> None:
        columns = ("waits", "cores", "24 photos as", "times the ideal")
        self.assert_copied(rows_with(PERFORMANCE, *columns), rows_with(page("latency.md"), *columns))

    def test_of_a_batch_of_24(self) -> None:
        columns = ("batch, s", "largest process, MB")
        self.assert_copied(rows_with(PERFORMANCE, *columns), rows_with(page("load.md"), *columns))

    def test_of_a_heic(self) -> None:
        written = [row for row in rows_with(page("bench-heic.md"), "CPU time, times libheif's") if "this crate" in row[""]]
        rows = rows_with(PERFORMANCE, "pixels", "CPU time, times libheif's")
        self.assertEqual(len(rows), len(written))
        for row, one in zip(rows, written):
            self.assertEqual({name: one.get(name, "") for name in list(row)[1:]}, dict(list(row.items())[1:]))


class Costs(unittest.TestCase):
    def test_cpu_times_of_a_photo(self) -> None:
        rows = [row for row in rows_with(PERFORMANCE, "CPU time a photo, ms") if row["CPU time a photo, ms"] in JOBS]
        self.assertEqual(len(rows), 3)
        for row in rows:
            title, *cells = row.values()
            self.assertEqual(cells, cost(JOBS[title])["CPU, ms"], title)

    def test_dollars_of_lambdas_time(self) -> None:
        rows = rows_with(PERFORMANCE, "this project", "this project, guide")
        self.assertEqual(len(rows), 8)
        for row in rows:
            title, *cells = row.values()
            job, memory = re.fullmatch(r"(.+), (\d+) MB", title).groups()
            dollars = of_size(JOBS[job], memory)[1::2]
            self.assertEqual([cell for cell in cells if cell], [cell for cell in dollars if cell], title)

    def test_batches(self) -> None:
        rows = rows_with(PERFORMANCE, "of sharp one by one")
        self.assertEqual(len(rows), 3)
        for row in rows:
            title, *cells = row.values()
            shares = [
                [int(share) for share in re.findall(r"(\d+)%", line)]
                for line in section(JOBS[title]).partition("in batches of")[2].splitlines()
                if line.startswith("sharp at ")
            ]
            for cell, column in zip(cells, (0, 2)):
                both = [share for of_size in shares for share in of_size[column : column + 2]]
                self.assertEqual(cell, f"{min(both)} to {max(both)} %", title)

    def test_memory_sizes(self) -> None:
        rows = rows_with(PERFORMANCE, "memory, MB", "$ times s")
        self.assertGreaterEqual(len(rows), 3)
        for row in rows:
            memory, *cells = re.findall(r"[\d.]+", row_line(PERFORMANCE, row["memory, MB"]))
            self.assertEqual(cells, cost("which memory size")[memory], memory)

    def test_other_ways(self) -> None:
        written = cost("all $, thumbnail alone, invoked by")
        rows = rows_with(PERFORMANCE, "published waits", "AWS's guide")
        self.assertEqual(len(rows), 7)
        for row in rows:
            title, *cells = row.values()
            name = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", title).removeprefix("by ")
            name = re.sub(r"S3, managed instances.*", "S3, Managed Instances busy for 50%", name)
            self.assertEqual(cells, written[name], title)

    def test_storage(self) -> None:
        written = cost("$ for a million photos in a year")
        rows = rows_with(PERFORMANCE, "$ a year")
        self.assertEqual([list(row.values())[1:] for row in rows], [written["storage, originals"], written["storage, thumbnails"]])

    def test_of_the_readme(self) -> None:
        table = {row[""]: list(row.values())[1:] for row in rows_with(README.read_text(), "this project", "sharp", "Pillow")}
        alone = cost("the thumbnail alone")
        self.assertEqual(table["CPU time of a photo, ms"], alone["CPU, ms"])
        self.assertEqual(table["memory at its peak, MB"], alone["peak memory, MB"])
        for memory, note in (("512", ""), ("1769", ", the default")):
            dollars = of_size("the thumbnail alone", memory)[1:6:2]
            self.assertEqual(table[f"Lambda's time at {memory} MB{note}, $"], dollars)
            everything = [float(one) + float(rest) for one, rest in zip(dollars, alone["total"])]
            for cell, sum_of in zip(table[f"everything at {memory} MB, $"], everything):
                self.assertAlmostEqual(float(cell), sum_of, delta=0.011)  # of rounded sums

    def test_the_cpu_time_of_the_simulation(self) -> None:
        source = (ROOT / "dev/photos_dev/scale/constants.py").read_text()
        (milliseconds,) = re.findall(r"(?m)^CPU_MS = (\d+)\.0$", source)
        self.assertEqual(milliseconds, cost("the thumbnail alone")["CPU, ms"][0])

    def test_the_write_units_of_the_simulation(self) -> None:
        source = (ROOT / "dev/photos_dev/scale/constants.py").read_text()
        for name, title in (("UNITS", "the thumbnail alone"), ("UNITS_OF_SEVERAL", "three JPEGs")):
            (item, index) = re.search(rf"(?m)^{name} = \((\d), (\d)\)$", source).groups()
            self.assertEqual(f"{item} + {index}", cost(JOBS[title])["write units of the item + of its index"][0], name)


def row_line(text: str, first: str) -> str:
    """The line of the row that begins with this cell and has seven."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {first} |") and line.count("|") == 8]
    return line


if __name__ == "__main__":
    unittest.main()
