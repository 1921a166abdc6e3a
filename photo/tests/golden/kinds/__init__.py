"""The kinds of photo, one module for each format; `photos()` of each yields them."""
