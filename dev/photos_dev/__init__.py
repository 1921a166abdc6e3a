"""What this project is developed, measured and operated with: `make` runs these modules as programs.

| subpackage or module | what it does |
|---|---|
| `local_aws` | runs an AWS on this machine, and deploys template.yaml into it |
| `stack` | uses a deployed stack: puts a photo through it, invokes it, shows it, tries its dead letters again |
| `benches` | measures the functions; `benches.peers` compares thumbnails, `benches.load` batches, with other programs |
| `faults` | lets every call to AWS fail in every way, and counts what becomes of the photos |
| `exif_check` | compares the facts of photos with exiftool's |
| `check_tools` | looks for what a build needs, before anything is installed |
"""
