"""`make load-compare`, `make cost`, `make growth` and `make soak`: batches of photos, and what they cost."""
