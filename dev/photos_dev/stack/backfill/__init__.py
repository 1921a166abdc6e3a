"""Makes the renditions of photos that are in the bucket already: `python -m photos_dev.stack.backfill --help`."""
