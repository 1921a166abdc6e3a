"""The kinds of photo: one module for each format, whose `photos()` yields them."""
