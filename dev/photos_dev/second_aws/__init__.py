"""A second opinion: another emulator of AWS than the local AWS, for the same tests: `make second-opinion`."""
