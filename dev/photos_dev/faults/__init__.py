"""`make faults`: every call of the function to AWS fails in every way."""
