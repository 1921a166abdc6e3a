"""The arithmetic of what views cost, and the table of it in docs/delivery.md: `make test-tools`."""

from __future__ import annotations

import unittest

from photos_dev.benches.load import prices, views
from photos_dev.paths import ROOT

GIGABYTE = 2**30
MILLION_GIGABYTES = 1_000_000  # a million views of a gigabyte


class Dollars(unittest.TestCase):
    def test_a_presigned_view_is_a_get_and_its_bytes_to_the_internet(self) -> None:
        self.assertAlmostEqual(views.presigned_dollars(0), 0.40)
        self.assertAlmostEqual(views.presigned_dollars(GIGABYTE) - 0.40, MILLION_GIGABYTES * prices.S3_TRANSFER_GB)

    def test_a_view_through_cloudfront_is_a_request_a_get_at_worst_and_its_bytes(self) -> None:
        self.assertAlmostEqual(views.delivered_dollars(0, kept=0), 1.00 + 0.40)
        transfer = views.delivered_dollars(GIGABYTE, kept=0) - 1.40
        self.assertAlmostEqual(transfer, MILLION_GIGABYTES * prices.CLOUDFRONT_TRANSFER_GB)

    def test_what_browsers_keep_costs_nothing(self) -> None:
        all_views = views.delivered_dollars(422_662, kept=0)
        self.assertAlmostEqual(views.delivered_dollars(422_662, kept=0.9), all_views / 10)
        self.assertEqual(views.delivered_dollars(422_662, kept=1), 0)


class Page(unittest.TestCase):
    def test_the_guide_has_the_table_of_todays_prices_and_measured_sizes(self) -> None:
        self.assertEqual(len(views.rendition_bytes()), 3)
        self.assertIn(views.table(), (ROOT / "docs/delivery.md").read_text())


if __name__ == "__main__":
    unittest.main()
