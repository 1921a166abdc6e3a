"""Numbers in command lines: `make test-tools`."""

from __future__ import annotations

import unittest
from argparse import ArgumentTypeError

from photos_dev.arguments import number, whole


class Numbers(unittest.TestCase):
    def test_bounds_belong_to_what_is_allowed(self) -> None:
        self.assertEqual([whole(1)("1"), whole(0, 5)("5"), number(0.1)("0.1"), number(0, 5)("5")], [1, 5, 0.1, 5])

    def test_what_is_not_allowed_is_named_with_what_is(self) -> None:
        for kind, text, allowed in (
            (whole(1), "0", "a whole number, at least 1"),
            (whole(1), "-3", "a whole number, at least 1"),
            (whole(1), "1.5", "a whole number, at least 1"),
            (whole(1), "many", "a whole number, at least 1"),
            (whole(0, 65535), "65536", "a whole number, 0 to 65535"),
            (number(0.1), "0", "a number, at least 0.1"),
            (number(0.1), "nan", "a number, at least 0.1"),
            (number(0, 5), "inf", "a number, 0 to 5"),
        ):
            with self.subTest(text), self.assertRaisesRegex(ArgumentTypeError, f"^'{text}' is not {allowed}$"):
                kind(text)


if __name__ == "__main__":
    unittest.main()
