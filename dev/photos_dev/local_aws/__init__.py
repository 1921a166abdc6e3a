"""An AWS on this machine, without Docker: `python -m photos_dev.local_aws --help`."""
