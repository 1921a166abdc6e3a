//! A placeholder that is shown until a picture is there: evanw's ThumbHash, some 25 bytes.

use std::panic;

use crate::pixels::srgb;
use crate::{PhotoError, Picture, Pixels, Size, Sizing};

/// The longest side of the picture that is hashed, in pixels: the hash knows no more than seven waves along a side,
/// and its crate takes no more than 100 pixels.
const LONGEST_SIDE: u32 = 100;

/// The ThumbHash of an upright picture, from its colours in sRGB. `opacity` says how opaque the picture was before it
/// was put on white; it may have another size.
///
/// # Errors
/// [`PhotoError::Corrupt`] if the picture cannot be hashed.
pub fn thumb_hash(
    picture: &Picture,
    opacity: Option<&Pixels>,
    icc_profile: Option<&[u8]>,
) -> Result<Vec<u8>, PhotoError> {
    let longest = Size { width: LONGEST_SIDE, height: LONGEST_SIDE };
    let size = Sizing::Fit(longest).of(picture.size());
    let shrunk = |picture: &Picture| picture.source((false, false)).average(size);
    let small = shrunk(picture)?;
    let converted = icc_profile.and_then(|profile| srgb::to_srgb(&small, profile));
    let rgb = converted.unwrap_or(small).to_rgb();
    let alpha = match opacity {
        Some(opacity) => shrunk(&Picture::Packed(opacity.clone()))?.into_luma().data,
        None => vec![255; rgb.data.len() / 3],
    };
    let pixels = rgb.data.as_chunks().0.iter().zip(alpha);
    let rgba: Vec<u8> = pixels.flat_map(|(pixel, alpha)| without_white(*pixel, alpha)).collect();
    let hash = || thumbhash::rgba_to_thumb_hash(size.width as usize, size.height as usize, &rgba);
    panic::catch_unwind(hash).map_err(|_| PhotoError::Corrupt("it cannot be hashed".into()))
}

/// A pixel as it was before it was put on white.
fn without_white(pixel: [u8; 3], alpha: u8) -> [u8; 4] {
    let white = 255 - u32::from(alpha);
    let [red, green, blue] = pixel.map(|channel| {
        let part = u32::from(channel).saturating_sub(white) * 255;
        part.checked_div(alpha.into()).unwrap_or(0).min(255) as u8
    });
    [red, green, blue, alpha]
}
