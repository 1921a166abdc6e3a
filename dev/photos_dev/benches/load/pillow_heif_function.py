"""pillow_function.py, which reads HEICs too."""

from pillow_function import handler
from pillow_heif import register_heif_opener

register_heif_opener()
