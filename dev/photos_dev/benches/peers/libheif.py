"""The runner of libheif, which only decodes: DIRECTORY RUNS PHOTO... (see run.py).

It calls the library in pillow-heif's wheel itself, as pillow-heif converts every picture to RGB.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import pillow_heif

from photos_dev.benches.peers.runner import run

# heif_colorspace_YCbCr and heif_chroma_420 of libheif/heif_image.h: what a phone's HEIC has.
YCBCR, CHROMA_420 = 0, 1


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("subcode", ctypes.c_int), ("message", ctypes.c_char_p)]


def checked(error: Error, *_: object) -> None:
    if error.code:
        raise OSError(error.message.decode())


def library() -> ctypes.CDLL:
    """libheif with the types of what is called (libheif/heif_context.h and others)."""
    (path,) = Path(pillow_heif.__file__).parent.parent.glob("pillow_heif.libs/libheif-*.so*")
    heif = ctypes.CDLL(str(path))
    pointer, place, number = ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p), ctypes.c_int
    heif.heif_context_alloc.restype = pointer
    heif.heif_context_alloc.argtypes = []
    for name, arguments in {
        "heif_context_read_from_memory_without_copy": [pointer, ctypes.c_char_p, ctypes.c_size_t, pointer],
        "heif_context_get_primary_image_handle": [pointer, place],
        "heif_decode_image": [pointer, place, number, number, pointer],
    }.items():
        function = getattr(heif, name)
        function.argtypes, function.restype, function.errcheck = arguments, Error, checked
    heif.heif_context_set_max_decoding_threads.argtypes = [pointer, number]
    for name in ("heif_image_release", "heif_image_handle_release", "heif_context_free"):
        getattr(heif, name).argtypes = [pointer]
    return heif


def decode(photo: bytes) -> bytes:
    """Decodes the primary picture to planes, as it is coded; there is no thumbnail."""
    context, handle, picture = HEIF.heif_context_alloc(), ctypes.c_void_p(), ctypes.c_void_p()
    HEIF.heif_context_set_max_decoding_threads(context, 1)
    HEIF.heif_context_read_from_memory_without_copy(context, photo, len(photo), None)
    HEIF.heif_context_get_primary_image_handle(context, ctypes.byref(handle))
    HEIF.heif_decode_image(handle, ctypes.byref(picture), YCBCR, CHROMA_420, None)
    HEIF.heif_image_release(picture)
    HEIF.heif_image_handle_release(handle)
    HEIF.heif_context_free(context)
    return b""


HEIF = library()
decoder = pillow_heif.libheif_info()["decoders"]["libde265"].rpartition(" ")[2]
run(decode, f"libheif {pillow_heif.libheif_version()}, libde265 {decoder}", sys.argv[1:])
