"""The arithmetic of `make cost`, with figures of a run: `make test-tools`."""

from __future__ import annotations

import unittest

from photos_dev.benches.load import bill
from photos_dev.benches.load.bill import GUIDE, PUBLISHED, Call, Figures, Mix, Photo

PHOTO = Photo(original_bytes=3_165_832, thumbnail_bytes=422_638)
THIS = bill.this_project(Figures(113, 46, 9, ""), item_units=2, index_units=1, line_bytes=1076)
SHARP = bill.sharp(Figures(171, 220, 365, "sharp 0.35.5"))
PILLOW = bill.pillow(Figures(684, 273, 281, "Pillow 13.0.0"))
ALL = (THIS, SHARP, PILLOW)

HEIC = Photo(original_bytes=1_985_955, thumbnail_bytes=230_000)
THIS_OF_HEIC = bill.this_project(Figures(400, 30, 9, ""), item_units=3, index_units=2, line_bytes=1100)
PILLOW_OF_HEIC = bill.pillow(Figures(700, 600, 300, "Pillow 13.0.0, pillow-heif 1.8.1"))
BOTH = ((THIS, THIS_OF_HEIC), (PILLOW, PILLOW_OF_HEIC))


class Calls(unittest.TestCase):
    def test_each_function_is_billed_for_each_call_that_it_makes(self):
        for function in ALL:
            self.assertEqual(function.calls, (Call.GET, Call.PUT, Call.ITEM))
            self.assertAlmostEqual(bill.at_every_size(function)["S3, the function's calls"], 5.40)


class Waiting(unittest.TestCase):
    def test_a_function_waits_for_each_of_its_calls_and_for_the_body(self):
        for waits, calls in ((PUBLISHED, 27.5 + 70 + 6.5), (GUIDE, 209)):
            body = PHOTO.original_bytes / waits.bytes_per_ms
            for function in ALL:
                self.assertAlmostEqual(function.wait_ms(waits, PHOTO.original_bytes), calls + body)

    def test_both_sets_know_every_call(self):
        for waits in (PUBLISHED, GUIDE):
            self.assertEqual(set(waits.ms), set(Call))


class Duration(unittest.TestCase):
    def test_twice_the_memory_is_half_the_cpu_time_until_one_vcpu(self):
        for memory_mb in (256, 512, 884):
            less, more = (bill.billed_ms(PILLOW, size, 0) for size in (memory_mb, 2 * memory_mb))
            self.assertAlmostEqual(less, 2 * more, delta=2)  # whole milliseconds
        self.assertAlmostEqual(bill.billed_ms(PILLOW, 1769, 0), PILLOW.figures.cpu_ms)
        self.assertEqual(bill.billed_ms(PILLOW, 1769, 0), bill.billed_ms(PILLOW, 3538, 0))

    def test_waiting_takes_as_long_at_every_size(self):
        for memory_mb in bill.MEMORY_SIZES:
            self.assertEqual(bill.billed_ms(SHARP, memory_mb, 100) - bill.billed_ms(SHARP, memory_mb, 0), 100)

    def test_begun_milliseconds_are_billed(self):
        self.assertEqual(bill.billed_ms(THIS, 1769, 151.6), 265)
        self.assertAlmostEqual(bill.duration_dollars(1024, 1000), 16.6667)


class Totals(unittest.TestCase):
    def test_all_functions_are_billed_for_the_same_things(self):
        names = [list(bill.at_every_size(function)) for function in ALL]
        self.assertEqual(names, [names[0]] * 3)

    def test_a_total_is_the_sum_of_its_lines(self):
        total = bill.total_dollars(THIS, 1769, 151.6)
        self.assertAlmostEqual(total, bill.duration_dollars(1769, 265) + sum(bill.at_every_size(THIS).values()))
        self.assertAlmostEqual(total, 20.87, places=2)

    def test_traces_cost_most_where_there_is_less_than_a_photo_a_second(self):
        self.assertAlmostEqual(bill.trace_dollars(0.1), 5.00)
        self.assertAlmostEqual(bill.trace_dollars(1), 5.00)
        self.assertAlmostEqual(bill.trace_dollars(100), 5 * (1 + 0.05 * 99) / 100)

    def test_storage_is_billed_in_binary_gigabytes(self):
        self.assertAlmostEqual(bill.storage_dollars(2**30) / 1e6, 0.023)


class HalfHeic(unittest.TestCase):
    def test_a_photo_costs_the_mean_of_both_kinds(self):
        for functions, mix in zip(BOTH, bill.half_and_half((PHOTO, HEIC), BOTH)):
            alone = [bill.alone(photo, [function])[0] for photo, function in zip((PHOTO, HEIC), functions)]
            for memory_mb in bill.MEMORY_SIZES:
                for of in (Mix.billed_ms, Mix.total_dollars):
                    jpeg, heic = (of(one, memory_mb, PUBLISHED) for one in alone)
                    self.assertAlmostEqual(of(mix, memory_mb, PUBLISHED), (jpeg + heic) / 2)

    def test_memory_must_be_enough_for_either_kind(self):
        text = bill.half_heic((PHOTO, HEIC), BOTH)
        self.assertEqual(text.count("does not fit"), 4)  # Pillow's 600 MB in 256 and 512, with both waits
        self.assertIn("Pillow at 1769 MB", text)
        self.assertNotIn("sharp", text)


class Report(unittest.TestCase):
    def test_every_memory_size_stands_in_both_tables(self):
        text = bill.report(PHOTO, ALL)
        for memory_mb in bill.MEMORY_SIZES:
            self.assertEqual(sum(line.startswith(f"{memory_mb:6} ") for line in text.splitlines()), 2)
        self.assertEqual(text.count("does not fit"), 2)  # Pillow in 256 MB
        self.assertIn("waits: published", text)
        self.assertIn("waits: AWS's guide", text)


if __name__ == "__main__":
    unittest.main()
