//! A placeholder that is shown until a picture is there: evanw's ThumbHash, some 25 bytes.

use std::panic;

use crate::pixels::srgb;
use crate::{Picture, Pixels, Size};

/// The longest side of the picture that is hashed, in pixels: the hash knows no more than seven waves along a side, and
/// its crate takes no more than 100 pixels.
pub(crate) const LONGEST_SIDE: u32 = 100;

/// The ThumbHash of a small upright picture, with its opacity if it is not opaque. The picture was put on white.
pub(crate) fn thumb_hash(
    picture: &Picture,
    alpha: Option<&Pixels>,
    profile: Option<&[u8]>,
) -> Option<Vec<u8>> {
    let converted = profile.and_then(|profile| srgb::to_srgb(picture, profile));
    let rgb = converted.as_ref().unwrap_or(picture).to_rgb();
    let Size { width, height } = rgb.size;
    let opaque = vec![255; rgb.data.len() / 3];
    let alpha = alpha.map_or(&opaque, |alpha| &alpha.data);
    let pixels = rgb.data.as_chunks().0.iter().zip(alpha);
    let rgba: Vec<u8> = pixels.flat_map(|(pixel, alpha)| without_white(*pixel, *alpha)).collect();
    let hash = || thumbhash::rgba_to_thumb_hash(width as usize, height as usize, &rgba);
    // A placeholder is worth no photo.
    panic::catch_unwind(hash).ok()
}

/// A pixel as it was before it was put on white.
fn without_white(pixel: [u8; 3], alpha: u8) -> [u8; 4] {
    let [red, green, blue] = pixel.map(|channel| {
        let white = 255 - u32::from(alpha);
        let part = u32::from(channel).saturating_sub(white) * 255;
        part.checked_div(alpha.into()).unwrap_or(0).min(255) as u8
    });
    [red, green, blue, alpha]
}
