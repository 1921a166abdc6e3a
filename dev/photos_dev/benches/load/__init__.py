"""`make load-compare`, `make cost`, `make growth` and `make soak`: whole batches of photos."""
