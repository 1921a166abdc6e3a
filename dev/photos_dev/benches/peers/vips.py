"""The runner of pyvips: DIRECTORY RUNS PHOTO... (see run.py)."""

import os
import sys

os.environ["VIPS_CONCURRENCY"] = "1"  # libvips reads it when it is loaded

import pyvips

from photos_dev.benches.peers.runner import quarter, run

pyvips.cache_set_max(0)  # else a run could use the pixels of an earlier one


def make(photo: bytes) -> bytes:
    header = pyvips.Image.new_from_buffer(photo, "")
    width, height = header.width, header.height
    if header.get_typeof("orientation") and header.get("orientation") >= 5:
        width, height = height, width
    thumbnail = pyvips.Image.thumbnail_buffer(
        photo, quarter(width), height=quarter(height), size="force"
    )
    # By default, libvips does not use 4:2:0 from quality 90 on.
    return thumbnail.jpegsave_buffer(Q=90, subsample_mode="on", keep="icc")


libvips = ".".join(str(pyvips.version(part)) for part in range(3))
run(make, f"pyvips {pyvips.__version__}, libvips {libvips}", sys.argv[1:])
