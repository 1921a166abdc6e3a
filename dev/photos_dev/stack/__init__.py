"""Programs that use a deployed stack."""
