"""Tools to develop, measure and operate this project: `make` runs these modules as programs.

| subpackage or module | what it does |
|---|---|
| `local_aws` | runs a local AWS on this machine, and deploys template.yaml into it |
| `stack` | uses a deployed stack: processes a photo, invokes the function, runs the demo, redrives dead letters, backfills |
| `dist` | builds a release, which can be tried and deployed without a compiler |
| `benches` | measures the functions; compares thumbnails (`peers`) and batches (`load`) with other programs |
| `scale` | simulates on paper how far the system scales, and what breaks first |
| `faults` | makes every call to AWS fail in every way, and counts the photos by outcome |
| `browser` | runs Python with what drives a browser |
| `exif_check` | compares facts of photos with exiftool's |
| `check_tools` | checks that the machine has the build's tools, before anything is installed |
"""
