"""`make invoke` sends the samples of events/ as events of the stack's own bucket."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from photos_dev.stack.invoke import about_bucket, created_objects, read_event

ROOT = Path(__file__).resolve().parent.parent.parent

BUCKET = "photos-originals-000000000000-us-east-1"


class Samples(unittest.TestCase):
    def test_a_sample_is_about_the_stacks_own_bucket_whatever_it_is_wrapped_in(self) -> None:
        samples = sorted((ROOT / "events").glob("*.json"))
        self.assertGreaterEqual(len(samples), 20)
        buckets: set[str] = set()
        for sample in samples:
            event = about_bucket(sample, BUCKET)
            if sample.name != "broken.json":  # it names none
                self.assertIn(BUCKET, event.read_text(), sample.name)
            buckets |= {original["bucket"] for original in created_objects(read_event(event))}
        self.assertEqual(buckets, {BUCKET})

    def test_an_event_that_names_the_bucket_already_is_invoked_as_it_is(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            event = Path(folder) / "mine.json"
            event.write_text(f'{{"Bucket": "{BUCKET}"}}')
            self.assertEqual(about_bucket(event, BUCKET), event)


if __name__ == "__main__":
    unittest.main()
