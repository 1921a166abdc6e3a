"""Programs that measure the functions, and compare them with other programs."""
