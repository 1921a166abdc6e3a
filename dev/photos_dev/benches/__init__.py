"""Programs that measure the functions, and compare them with others."""
