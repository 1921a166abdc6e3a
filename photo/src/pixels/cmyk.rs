//! Converts printing inks (CMYK) to sRGB.
//!
//! Only the colour profile says which colours a CMYK photo has: the same four numbers give different
//! colours on different paper.

use moxcms::{ColorProfile, DataColorSpace, Layout, Transform8BitExecutor, TransformOptions};
use std::sync::Arc;

use crate::metadata::icc;

/// Number of pixels that are converted at a time.
const BATCH: usize = 4096;

/// Converts pixels of four inks, from 0 (none) to 255 (full), to sRGB through the photo's profile. Without
/// a usable CMYK profile it assumes ideal inks.
pub(crate) fn to_srgb(cmyk: Vec<u8>, profile: Option<&[u8]>) -> Vec<u8> {
    let transform = profile.and_then(transform);
    let mut pixels = cmyk;
    let mut rgb = [0; 3 * BATCH];
    let (mut from, mut to) = (0, 0);
    while from < pixels.len() {
        let inks = &pixels[from..pixels.len().min(from + 4 * BATCH)];
        let rgb = &mut rgb[..inks.len() / 4 * 3];
        let is_converted =
            transform.as_ref().is_some_and(|transform| transform.transform(inks, rgb).is_ok());
        if !is_converted {
            ideal_inks(inks, rgb);
        }
        from += inks.len();
        // The output is shorter than the input, so that writing never overtakes reading.
        pixels[to..to + rgb.len()].copy_from_slice(rgb);
        to += rgb.len();
    }
    pixels.truncate(to);
    pixels
}

fn transform(profile: &[u8]) -> Option<Arc<Transform8BitExecutor>> {
    let profile = ColorProfile::new_from_slice(&icc::essentials(profile)?).ok()?;
    if profile.color_space != DataColorSpace::Cmyk {
        return None;
    }
    let (inks, srgb) = (Layout::Rgba, ColorProfile::new_srgb());
    profile.create_transform_8bit(inks, &srgb, Layout::Rgb, TransformOptions::default()).ok()
}

/// Converts ideal inks: each absorbs its complementary colour, and black absorbs all colours.
fn ideal_inks(cmyk: &[u8], rgb: &mut [u8]) {
    for (inks, pixel) in cmyk.chunks_exact(4).zip(rgb.chunks_exact_mut(3)) {
        let light = 255 - u16::from(inks[3]);
        for (channel, ink) in pixel.iter_mut().zip(inks) {
            *channel = (((255 - u16::from(*ink)) * light + 127) / 255) as u8;
        }
    }
}
