"""`make bench` and `make bench-check`: thumbnails compared with those of other programs."""
