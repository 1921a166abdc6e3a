"""Where `make figures` puts what it has measured: `make test-tools`."""

from __future__ import annotations

import unittest

from photos_dev.benches.figures import commands, from_command, renewed
from photos_dev.problem import Problem

PAGE = """Before.

```text
$ make measure
photo.jpg, a processor

one photo   91 ms
```

| photo | ms |
|---|---:|
| a | 1 |
| b | 2 |

| photo | MB |
|---|---:|
| a | 1 |
"""


class Renewed(unittest.TestCase):
    def test_an_output_takes_the_place_of_that_before_without_what_make_says(self) -> None:
        text = renewed(PAGE, "measure", "5.9M\ttarget/x.zip\nphoto.jpg, another\n\none photo   90 ms\n\n")
        self.assertEqual(text, PAGE.replace("a processor", "another").replace("91", "90"))

    def test_an_output_that_is_shown_in_parts_stays(self) -> None:
        page = PAGE.replace("\none photo", "...\none photo")
        self.assertEqual(renewed(page, "measure", "photo.jpg\n"), page)

    def test_an_output_of_another_command_stays(self) -> None:
        self.assertEqual(renewed(PAGE, "load", "photo.jpg\n"), PAGE)

    def test_an_output_that_begins_in_another_way_changes_nothing(self) -> None:
        self.assertEqual(renewed(PAGE, "measure", "error: no photo\n"), PAGE)

    def test_a_table_takes_the_place_of_one_with_the_same_columns(self) -> None:
        text = renewed(PAGE, "bench", "said\n| photo | ms |\n|---|---:|\n| c | 3 |\n\nmore\n")
        self.assertEqual(text, PAGE.replace("| a | 1 |\n| b | 2 |\n", "| c | 3 |\n", 1))


class Commands(unittest.TestCase):
    def test_it_goes_on_where_it_was_stopped(self) -> None:
        every = commands(None)
        self.assertEqual(from_command(every, None), every)
        self.assertEqual(from_command(every, every[3].target), every[3:])
        with self.assertRaisesRegex(Problem, "clean measures nothing"):
            from_command(every, "clean")

    def test_each_keeps_its_output_in_a_file_of_its_own(self) -> None:
        outputs = [command.output for command in commands(None)]
        self.assertEqual(len(set(outputs)), len(outputs))


if __name__ == "__main__":
    unittest.main()
