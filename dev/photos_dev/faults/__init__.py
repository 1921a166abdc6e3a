"""`make faults`: every call of the function to AWS fails in every way, and no photo may be lost."""
