"""Converts the samples of a photo to 8-bit RGB or gray."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

# Linear sRGB to XYZ, adapted to D50 (Bradford); http://www.brucelindbloom.com/Eqn_RGB_XYZ_Matrix.html
SRGB_TO_XYZ = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
D50 = SRGB_TO_XYZ.sum(axis=1)


def eight_bit(samples: np.ndarray, bits: int) -> np.ndarray:
    return rounded(samples * (255 / (2**bits - 1)))


def on_white(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Puts 8-bit colours, which are not multiplied by alpha, on white."""
    alpha = alpha.reshape(alpha.shape + (1,) * (colours.ndim - alpha.ndim)) / 255
    return rounded(colours * alpha + 255 * (1 - alpha))


def without_key(colours: np.ndarray, transparent: np.ndarray) -> np.ndarray:
    return on_white(colours, np.where(transparent, 0, 255))


def rgb_to_cmyk(rgb: np.ndarray) -> np.ndarray:
    """Converts channels from 0 to 1 to inks, where 1 is full ink. Half of the common gray becomes black ink."""
    black = (1 - rgb.max(axis=2, keepdims=True)) / 2
    return np.concatenate([1 - rgb / (1 - black), black], axis=2)


def cmyk_to_rgb(cmyk: np.ndarray, profile: bytes | None) -> np.ndarray:
    """Converts inks, where 255 is full ink, relative colorimetric without black point compensation."""
    if profile is None:
        paper = 255.0 - cmyk
        return rounded(paper[..., :3] * paper[..., 3:] / 255)
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        "CMYK",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        # otherwise LittleCMS samples the whole conversion into a coarser table
        ImageCms.Flags.NOOPTIMIZE,
    )
    return np.asarray(ImageCms.applyTransform(Image.fromarray(cmyk, "CMYK"), transform))


def rgb_to_lab(rgb: np.ndarray) -> np.ndarray:
    """Converts sRGB from 0 to 1 to CIELab of D50."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ SRGB_TO_XYZ.T / D50
    x, y, z = np.moveaxis(
        np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116), -1, 0
    )
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def lab_to_rgb(lab: np.ndarray) -> np.ndarray:
    y = (lab[..., 0] + 16) / 116
    roots = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    xyz = D50 * np.where(roots > 6 / 29, roots**3, (116 * roots - 16) * 27 / 24389)
    linear = np.clip(xyz @ np.linalg.inv(SRGB_TO_XYZ).T, 0, 1)
    return rounded(
        255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    )


def rounded(levels: np.ndarray) -> np.ndarray:
    return np.floor(levels + 0.5).astype(np.uint8)
